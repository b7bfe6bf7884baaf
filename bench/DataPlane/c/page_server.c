// The yardstick of the data-plane benchmark: a plain C server of docs/data-plane.md, epoll and writev, one thread.
// It speaks just what the benchmark's client needs: greeting, hello, welcome, requests, data. No zero pages, no
// duplicates, no TLS, no limits, no timeouts. Checksums of all pages are
// computed before the first request, as the other server does while it is idle.
// usage: page_server IMAGE; prints its port.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, FRAMED = 32, RUN = 64, BATCH = 64, QUEUE = 8192, LANE = PAGE / 4 };
enum { GREETING = 1, HELLO = 2, WELCOME = 3, REQUEST = 0x10, PING = 0x12, DATA = 0x20, PONG = 0x24 };

static uint32_t past_lane[4][256], past_page[4][256];

#if defined(__x86_64__)
#define CRC_TARGET __attribute__((target("sse4.2")))
CRC_TARGET static inline uint32_t step8(uint32_t crc, uint64_t word) { return (uint32_t)__builtin_ia32_crc32di(crc, word); }
#elif defined(__aarch64__)
#define CRC_TARGET __attribute__((target("+crc")))
CRC_TARGET static inline uint32_t step8(uint32_t crc, uint64_t word) { return __builtin_aarch64_crc32cx(crc, word); }
#else
#define CRC_TARGET
static inline uint32_t step8(uint32_t crc, uint64_t word)
{
    for (int i = 0; i < 8; i++, word >>= 8) {
        crc ^= (uint8_t)word;
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
    }
    return crc;
}
#endif

static inline uint32_t shift(uint32_t t[4][256], uint32_t crc)
{
    return t[0][crc & 255] ^ t[1][crc >> 8 & 255] ^ t[2][crc >> 16 & 255] ^ t[3][crc >> 24];
}

CRC_TARGET static void make_shift(uint32_t t[4][256], int zero_bytes)
{
    for (int i = 0; i < 4; i++)
        for (uint32_t b = 0; b < 256; b++) {
            uint32_t crc = b << 8 * i;
            for (int n = 0; n < zero_bytes; n += 8)
                crc = step8(crc, 0);
            t[i][b] = crc;
        }
}

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return w;
}

CRC_TARGET static uint32_t crc_page(const uint8_t *page)
{
    uint32_t a = ~0u, b = 0, c = 0, d = 0;
    for (const uint8_t *p = page; p < page + LANE; p += 8) {
        a = step8(a, word_at(p));
        b = step8(b, word_at(p + LANE));
        c = step8(c, word_at(p + 2 * LANE));
        d = step8(d, word_at(p + 3 * LANE));
    }
    return ~(shift(past_lane, shift(past_lane, shift(past_lane, a) ^ b) ^ c) ^ d);
}

CRC_TARGET static uint32_t crc_head(const uint8_t *p)
{
    // 28 bytes: three words, and a half one bit by bit.
    uint32_t crc = step8(step8(step8(~0u, word_at(p)), word_at(p + 8)), word_at(p + 16));
    for (int i = 24; i < 28; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = (crc >> 1) ^ (0x82f63b78u & -(crc & 1));
    }
    return ~crc;
}

struct request { uint64_t page; uint32_t left, id; };

struct client {
    int fd, blocked;
    uint32_t in_used;
    uint8_t in[65536];
    uint8_t heads[BATCH * FRAMED], hello[96];
    struct iovec out[2 * BATCH + 2];
    int first, end;
    struct request queue[QUEUE];
    uint32_t head, tail;
};

static uint8_t *image;
static uint64_t image_pages;
static uint32_t *sums;

static void put32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static void put64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }

static void frame(uint8_t *p, uint32_t payload, uint8_t type, uint8_t flags)
{
    put32(p, payload);
    p[4] = type, p[5] = flags, p[6] = p[7] = 0;
}

static void add(struct client *c, void *base, size_t length) { c->out[c->end++] = (struct iovec){ base, length }; }

static void greet(struct client *c)
{
    memset(c->hello, 0, sizeof c->hello);
    frame(c->hello, 8, GREETING, 0);
    memcpy(c->hello + 8, "UFPG\2\0\2\0", 8);
    add(c, c->hello, 16);
}

static void welcome(struct client *c, const uint8_t *hello)
{
    memset(c->hello, 0, sizeof c->hello);
    frame(c->hello, 64, WELCOME, 0);
    uint8_t *p = c->hello + 8;
    put32(p, 2), put32(p + 4, 16384), put32(p + 8, 4096), put32(p + 12, 16384), put32(p + 20, 30000);
    put64(p + 24, image_pages);
    memcpy(p + 32, hello + 8, 32);
    add(c, c->hello, 72);
}

static void fill(struct client *c)
{
    int pages = 0;
    c->first = c->end = 0;
    for (int i = 0; i < BATCH && pages < RUN && c->head != c->tail; i++) {
        struct request *r = &c->queue[c->head % QUEUE];
        uint32_t n = r->left < (uint32_t)(RUN - pages) ? r->left : (uint32_t)(RUN - pages);
        uint8_t *h = c->heads + i * FRAMED, *content = image + r->page * PAGE;
        frame(h, 24 + n * PAGE, DATA, n == r->left);
        put64(h + 8, r->page), put32(h + 16, n), put32(h + 20, r->id), put32(h + 24, 0);
        uint32_t crc = sums[r->page];
        for (uint32_t k = 1; k < n; k++)
            crc = shift(past_page, crc) ^ sums[r->page + k];
        put32(h + 28, crc_head(h) ^ crc);
        add(c, h, FRAMED);
        add(c, content, (size_t)n * PAGE);
        pages += n, r->page += n, r->left -= n;
        if (r->left == 0)
            c->head++;
    }
}

static int flush(struct client *c)
{
    for (;;) {
        if (c->first == c->end)
            fill(c);
        if (c->first == c->end)
            return 0;
        ssize_t sent = writev(c->fd, c->out + c->first, c->end - c->first);
        if (sent < 0)
            return errno == EAGAIN ? 1 : -1;
        while (sent > 0 && (size_t)sent >= c->out[c->first].iov_len)
            sent -= c->out[c->first++].iov_len;
        if (sent > 0) {
            c->out[c->first].iov_base = (uint8_t *)c->out[c->first].iov_base + sent;
            c->out[c->first].iov_len -= sent;
        }
    }
}

static int take(struct client *c)
{
    uint32_t at = 0;
    while (c->in_used - at >= 8) {
        uint32_t payload;
        memcpy(&payload, c->in + at, 4);
        if (payload > 4096)
            return -1;
        if (c->in_used - at < 8 + payload)
            break;
        uint8_t type = c->in[at + 4], *p = c->in + at + 8;
        if (type == HELLO)
            welcome(c, p);
        else if (type == PING && c->first == c->end) {
            frame(c->hello, 8, PONG, 0);
            memcpy(c->hello + 8, p, 8);
            c->first = c->end = 0;
            add(c, c->hello, 16);
        } else if (type == REQUEST)
            for (uint32_t i = 0; i + 24 <= payload; i += 24) {
                struct request *r = &c->queue[c->tail++ % QUEUE];
                memcpy(&r->page, p + i, 8), memcpy(&r->left, p + i + 8, 4), memcpy(&r->id, p + i + 12, 4);
                if (r->page >= image_pages || r->left > image_pages - r->page)
                    return -1;
            }
        at += 8 + payload;
    }
    memmove(c->in, c->in + at, c->in_used -= at);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    int file = open(argv[1], O_RDONLY);
    struct stat st;
    if (file < 0 || fstat(file, &st) < 0)
        return 1;
    image_pages = st.st_size / PAGE;
    image = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, file, 0);
    make_shift(past_lane, LANE), make_shift(past_page, PAGE);
    sums = malloc(image_pages * sizeof *sums);
    for (uint64_t page = 0; image != MAP_FAILED && page < image_pages; page++)
        sums[page] = crc_page(image + page * PAGE);
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    if (image == MAP_FAILED || bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 16) < 0)
        return 1;
    getsockname(listener, (void *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = NULL });
    for (;;) {
        struct epoll_event events[16];
        int n = epoll_wait(epoll, events, 16, -1);
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (c == NULL) {
                c = calloc(1, sizeof *c);
                c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                setsockopt(c->fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
                epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
                greet(c);
            } else {
                ssize_t got = read(c->fd, c->in + c->in_used, sizeof c->in - c->in_used);
                if (got > 0)
                    c->in_used += got;
                if (got == 0 || (got < 0 && errno != EAGAIN) || (got > 0 && take(c) < 0)) {
                    close(c->fd), free(c);
                    continue;
                }
            }
            int blocked = flush(c);
            if (blocked < 0) {
                close(c->fd), free(c);
            } else if (blocked != c->blocked) {
                c->blocked = blocked;
                uint32_t want = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN;
                epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){ .events = want, .data.ptr = c });
            }
        }
    }
}
