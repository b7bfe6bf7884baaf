// The monitor of the userfaultfd benchmark: maps memory, registers it, hands it over by Firecracker's protocol, and touches
// every page once, in random order, from N threads. The same program for every handler, in a process of its own.
// usage: toucher SOCKET BYTES THREADS [TOUCHES] [PAUSE_US] [private|memfd|holes]; prints "touches SECONDS P50 P99 P999 MAX WRONG" (times in us).
// memfd: shared memory, its file allocated beforehand and handed over as well; holes: the same, not allocated.
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

static int open_uffd(size_t bytes, int file)
{
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    int uffd = device >= 0 ? ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK)
                           : (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_REMOVE };
    struct uffdio_register area = { { (uintptr_t)memory, bytes }, UFFDIO_REGISTER_MODE_MISSING, 0 };
    if (file >= 0) {
        api.features |= UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM;
        area.mode |= UFFDIO_REGISTER_MODE_MINOR;
    }
    if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) < 0 || ioctl(uffd, UFFDIO_REGISTER, &area) < 0)
        die("userfaultfd");
    return uffd;
}

static int hand_over(const char *path, int uffd, size_t bytes, int file)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[256], control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
    int fds[2] = { uffd, file };
    size_t fds_bytes = (file >= 0 ? 2 : 1) * sizeof(int);
    int length = snprintf(text, sizeof text,
        "[{\"base_host_virt_addr\":%" PRIuPTR ",\"size\":%zu,\"offset\":0,\"page_size\":4096,\"page_size_kib\":4096}]",
        (uintptr_t)memory, bytes);
    struct iovec vector = { text, length };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(fds_bytes) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds_bytes);
    memcpy(CMSG_DATA(header), fds, fds_bytes);
    int handler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (handler < 0 || connect(handler, (struct sockaddr *)&address, sizeof address) < 0 || sendmsg(handler, &message, 0) != length)
        die(path);
    return handler;
}

// A file of guest memory; its pages are made and cleared now, as a destination does that is ready before its guest comes.
static int open_file(size_t bytes, const char *kind)
{
    int file = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0 || ftruncate(file, bytes) < 0)
        die("memfd");
    if (strcmp(kind, "memfd"))
        return file;
    void *all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    if (all == MAP_FAILED)
        die("mmap");
    munmap(all, bytes);
    return file;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    size_t bytes = strtoull(argv[2], NULL, 10), pages = bytes / PAGE;
    threads = atoi(argv[3]);
    touches = argc > 4 && atoll(argv[4]) > 0 ? (size_t)atoll(argv[4]) : pages;
    pause_us = argc > 5 ? atol(argv[5]) : 0;
    const char *kind = argc > 6 ? argv[6] : "private";
    int file = strcmp(kind, "private") ? open_file(bytes, kind) : -1;
    int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED | MAP_NORESERVE;
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
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
    int uffd = open_uffd(bytes, file), handler = hand_over(argv[1], uffd, bytes, file);
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
