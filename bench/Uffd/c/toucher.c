// The monitor of the userfaultfd benchmark: maps memory, registers it, hands it over by Firecracker's protocol, and touches
// every page once, in random order, from N threads. The same program for every handler, in a process of its own.
// usage: toucher SOCKET BYTES THREADS [TOUCHES] [PAUSE_US]; prints "touches SECONDS P50 P99 P999 MAX WRONG" (times in us).
// A page's first word must be its number plus one, so that a handler that copies the wrong page is found out.
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static char *memory;
static uint32_t *order, *latency;
static size_t touches;
static int threads;
static long pause_us;
static atomic_size_t next_share;
static atomic_long wrong;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void *touch(void *unused)
{
    (void)unused;
    size_t share = atomic_fetch_add(&next_share, 1);
    long bad = 0;
    for (size_t i = touches * share / threads; i < touches * (share + 1) / threads; i++) {
        uint64_t before = now();
        uint64_t word = *(volatile uint64_t *)(memory + (size_t)order[i] * PAGE);
        uint64_t took = now() - before;
        latency[i] = took > UINT32_MAX ? UINT32_MAX : took;
        bad += word != (uint64_t)order[i] + 1;
        if (pause_us)
            usleep(pause_us);
    }
    atomic_fetch_add(&wrong, bad);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int open_uffd(size_t bytes)
{
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    int uffd = device >= 0 ? ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK)
                           : (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMOVE };
    struct uffdio_register area = { { (uintptr_t)memory, bytes }, UFFDIO_REGISTER_MODE_MISSING, 0 };
    if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) < 0 || ioctl(uffd, UFFDIO_REGISTER, &area) < 0)
        die("userfaultfd");
    return uffd;
}

static int hand_over(const char *path, int uffd, size_t bytes)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[256], control[CMSG_SPACE(sizeof(int))] = { 0 };
    int length = snprintf(text, sizeof text,
        "[{\"base_host_virt_addr\":%" PRIuPTR ",\"size\":%zu,\"offset\":0,\"page_size\":4096,\"page_size_kib\":4096}]",
        (uintptr_t)memory, bytes);
    struct iovec vector = { text, length };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &uffd, sizeof(int));
    int handler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (handler < 0 || connect(handler, (struct sockaddr *)&address, sizeof address) < 0 || sendmsg(handler, &message, 0) != length)
        die(path);
    return handler;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    size_t bytes = strtoull(argv[2], NULL, 10), pages = bytes / PAGE;
    threads = atoi(argv[3]);
    touches = argc > 4 && atoll(argv[4]) > 0 ? (size_t)atoll(argv[4]) : pages;
    pause_us = argc > 5 ? atol(argv[5]) : 0;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    order = malloc(pages * sizeof *order);
    latency = calloc(touches, sizeof *latency);
    if (memory == MAP_FAILED || !order || !latency || touches > pages)
        die("memory");
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < pages; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        size_t j = state % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    int uffd = open_uffd(bytes), handler = hand_over(argv[1], uffd, bytes);
    pthread_t *ids = calloc(threads, sizeof *ids);
    uint64_t start = now();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, touch, NULL))
            die("pthread_create");
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    double seconds = (now() - start) / 1e9;
    qsort(latency, touches, sizeof *latency, by_size);
    printf("%zu %.6f %.1f %.1f %.1f %.1f %ld\n", touches, seconds, latency[touches / 2] / 1e3, latency[touches * 99 / 100] / 1e3,
        latency[touches * 999 / 1000] / 1e3, latency[touches - 1] / 1e3, atomic_load(&wrong));
    close(handler);
    return atomic_load(&wrong) != 0;
}
