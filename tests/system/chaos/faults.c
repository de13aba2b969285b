// Preloaded into a program, fails or delays its calls on files below one directory. Without ptrace, so it works
// everywhere but under sanitizers.
//
//   REACH_FAULT_DIRECTORY  the directory
//   REACH_FAULT_CALL       write | fdatasync | fsync | create | rename | ftruncate | unlink | read | change: which calls
//                          (create: an open that may create; change: all of them but read)
//   REACH_FAULT_AT         the first call that fails, from 1 (default 1)
//   REACH_FAULT_TIMES      how many fail from there on; 0: all (default 1)
//   REACH_FAULT_ERRNO      what they fail with; 0: they do not (default EIO)
//   REACH_FAULT_SHORT      the first of the failing calls, a write, writes so many bytes and says so instead
//   REACH_FAULT_SLOW_MS    calls take so much longer, failing or not
//   REACH_FAULT_WHILE      only while this file exists
//   REACH_FAULT_COUNT      a file that gets one byte per call, so that the caller learns how many there were
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static long number(const char *name, long otherwise) {
    const char *value = setting(name);
    return value != NULL ? atol(value) : otherwise;
}

static int below(const char *path) {
    const char *directory = setting("REACH_FAULT_DIRECTORY");
    if (directory == NULL) return 0;
    const size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int below_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = '\0';
    return below(path);
}

static int below_at(int directory, const char *path) {
    return path[0] == '/' || directory == AT_FDCWD ? below(path) : below_fd(directory);
}

// 0: this call does not fail. Otherwise it does, with errno set, as the first, second, ... that does.
static long fails(const char *call) {
    static atomic_long calls;
    const int saved = errno;
    const char *wanted = setting("REACH_FAULT_CALL");
    if (wanted == NULL) return 0;
    if (strcmp(wanted, call) != 0 && !(strcmp(wanted, "change") == 0 && strcmp(call, "read") != 0)) return 0;
    const char *file = setting("REACH_FAULT_WHILE");
    if (file != NULL && syscall(SYS_access, file, F_OK) != 0) {
        errno = saved;
        return 0;
    }
    const char *count = setting("REACH_FAULT_COUNT");
    if (count != NULL) {
        const long fd = syscall(SYS_openat, AT_FDCWD, count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        syscall(SYS_write, fd, ".", 1L);
        syscall(SYS_close, fd);
    }
    const long slow = number("REACH_FAULT_SLOW_MS", 0);
    if (slow > 0) {
        struct timespec rest = {slow / 1000, slow % 1000 * 1000000};
        while (nanosleep(&rest, &rest) != 0) continue;
    }
    const long n = ++calls, at = number("REACH_FAULT_AT", 1), times = number("REACH_FAULT_TIMES", 1);
    errno = saved;
    if (n < at || (times > 0 && n >= at + times)) return 0;
    const int with = (int)number("REACH_FAULT_ERRNO", EIO);
    if (with == 0) return 0;
    errno = with;
    return n - at + 1;
}

#define REAL(type, name, ...)                                                    \
    static type (*real)(__VA_ARGS__);                                            \
    if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    const long failing = below_fd(fd) ? fails("write") : 0;
    if (failing == 0) return real(fd, bytes, size);
    const long part = failing == 1 ? number("REACH_FAULT_SHORT", -1) : -1;
    return part < 0 ? -1 : real(fd, bytes, (size_t)part < size ? (size_t)part : size);
}

ssize_t read(int fd, void *bytes, size_t size) {
    REAL(ssize_t, "read", int, void *, size_t);
    return below_fd(fd) && fails("read") ? -1 : real(fd, bytes, size);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return below_fd(fd) && fails("fdatasync") ? -1 : real(fd);
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return below_fd(fd) && fails("fsync") ? -1 : real(fd);
}

int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    return below_fd(fd) && fails("ftruncate") ? -1 : real(fd, size);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    return below(from) && fails("rename") ? -1 : real(from, to);
}

int renameat(int a, const char *from, int b, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    return below_at(a, from) && fails("rename") ? -1 : real(a, from, b, to);
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    return below(path) && fails("unlink") ? -1 : real(path);
}

int unlinkat(int directory, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    return below_at(directory, path) && fails("unlink") ? -1 : real(directory, path, flags);
}

static int mode_of(int flags, va_list more) {
    return (flags & O_CREAT) != 0 ? va_arg(more, int) : 0;
}

int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, ...);
    va_list more;
    va_start(more, flags);
    const int mode = mode_of(flags, more);
    va_end(more);
    return (flags & O_CREAT) != 0 && below(path) && fails("create") ? -1 : real(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
    REAL(int, "openat", int, const char *, int, ...);
    va_list more;
    va_start(more, flags);
    const int mode = mode_of(flags, more);
    va_end(more);
    return (flags & O_CREAT) != 0 && below_at(directory, path) && fails("create")
               ? -1
               : real(directory, path, flags, mode);
}
