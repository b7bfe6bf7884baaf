// The yardstick of the userfaultfd benchmark: a plain C page-fault handler of Firecracker's protocol, one VM, one thread, one
// page a fault, pages copied straight out of the mapped image. It reads as many events at once as are there.
// usage: uffd_handler SOCKET IMAGE; prints "ready", ends when the monitor closes the connection.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAGE = 4096, MESSAGES = 64 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int accept_monitor(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        die(path);
    puts("ready");
    fflush(stdout);
    int monitor = accept(listener, NULL, NULL);
    if (monitor < 0)
        die("accept");
    close(listener);
    unlink(path);
    return monitor;
}

// One region, one descriptor.
static int take_region(int monitor, uint64_t *base, uint64_t *size, uint64_t *offset)
{
    char text[4096], control[CMSG_SPACE(sizeof(int))];
    struct iovec vector = { text, sizeof text - 1 };
    struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    ssize_t bytes = recvmsg(monitor, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = bytes > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header)
        die("recvmsg");
    text[bytes] = 0;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    const char *a = strstr(text, "\"base_host_virt_addr\":"), *b = strstr(text, "\"size\":"), *c = strstr(text, "\"offset\":");
    if (!a || !b || !c)
        die("regions");
    *base = strtoull(strchr(a, ':') + 1, NULL, 10);
    *size = strtoull(strchr(b, ':') + 1, NULL, 10);
    *offset = strtoull(strchr(c, ':') + 1, NULL, 10);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int file = open(argv[2], O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0)
        die(argv[2]);
    char *image = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (image == MAP_FAILED)
        die("mmap");
    int monitor = accept_monitor(argv[1]);
    uint64_t base, size, offset;
    int uffd = take_region(monitor, &base, &size, &offset);
    struct pollfd polled[2] = { { uffd, POLLIN, 0 }, { monitor, POLLIN, 0 } };
    struct uffd_msg messages[MESSAGES];
    for (;;) {
        ssize_t bytes = read(uffd, messages, sizeof messages);
        if (bytes <= 0) {
            if (polled[1].revents)
                return 0;
            polled[1].revents = 0;
            if (poll(polled, 2, -1) < 0 && errno != EINTR)
                die("poll");
            continue;
        }
        for (size_t i = 0; i < bytes / sizeof messages[0]; i++) {
            if (messages[i].event != UFFD_EVENT_PAGEFAULT)
                continue;
            uint64_t at = messages[i].arg.pagefault.address & ~(uint64_t)(PAGE - 1);
            struct uffdio_copy copy = { .dst = at, .src = (uintptr_t)image + offset + (at - base), .len = PAGE };
            if (ioctl(uffd, UFFDIO_COPY, &copy) == 0)
                continue;
            if (errno == EEXIST) {
                struct uffdio_range range = { at, PAGE };
                ioctl(uffd, UFFDIO_WAKE, &range);
            } else if (errno != EAGAIN && errno != ESRCH) {
                die("UFFDIO_COPY");
            }
        }
    }
}
