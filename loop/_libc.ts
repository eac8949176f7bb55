/**
 * libc's socket calls through FFI, for Linux on x86_64 and aarch64.
 *
 * Lengths are declared 32 bits wide: 64-bit ones would cross as BigInt, which
 * costs more than the call. Nothing here is longer than 2 GiB.
 *
 * @module
 */

/** The functions that are bound. */
const SYMBOLS = {
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int bind(int fd, const struct sockaddr *addr, socklen_t len)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int fd, int backlog)
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *addr, socklen_t len)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  // long syscall(long number, …), for SYS_recvfrom and SYS_sendto. libc's recv
  // and send are cancellation points of the thread, which costs 40 ns a call.
  syscall: {
    parameters: ["i32", "i32", "buffer", "u32", "i32", "pointer", "pointer"],
    result: "i32",
  },
  // syscall again, with the address of memory that does not move.
  syscall_at: {
    name: "syscall",
    parameters: ["i32", "i32", "u64", "u32", "i32", "pointer", "pointer"],
    result: "i32",
  },
  // ssize_t recvfrom(int, void *, size_t, int, struct sockaddr *, socklen_t *)
  recvfrom: {
    parameters: ["i32", "buffer", "u32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // ssize_t sendto(int, const void *, size_t, int, sockaddr *, socklen_t)
  sendto: {
    parameters: ["i32", "buffer", "u32", "i32", "buffer", "u32"],
    result: "i32",
  },
  // int recvmmsg(int, struct mmsghdr *, unsigned, int, struct timespec *)
  recvmmsg: {
    parameters: ["i32", "pointer", "u32", "i32", "pointer"],
    result: "i32",
  },
  // int sendmmsg(int fd, struct mmsghdr *, unsigned int count, int flags)
  sendmmsg: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  // int shutdown(int fd, int how)
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  // int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int setsockopt(int, int level, int name, const void *value, socklen_t)
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  // int getsockopt(int, int level, int name, void *value, socklen_t *len)
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // int ioctl(int fd, unsigned long request, void *argument)
  ioctl: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  // int epoll_create1(int flags)
  epoll_create1: { parameters: ["i32"], result: "i32" },
  // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int epoll_wait(int epfd, struct epoll_event *, int max, int timeout)
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  // epoll_wait again, on another thread and as a promise.
  epoll_wait_async: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int eventfd(unsigned int initial, int flags)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // ssize_t read(int fd, void *buf, size_t count)
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count)
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
export type LibcSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** libc, bound for the thread that called {@linkcode openLibc}. */
export interface Libc {
  /** The functions. */
  readonly symbols: LibcSymbols;
  /** `errno` of this thread, read straight from its memory. */
  errno(): number;
}

let bound: Libc | undefined;

/**
 * Binds libc, once.
 *
 * @returns The functions.
 * @throws {Error} If FFI is denied or there is no libc that has them.
 */
export function openLibc(): Libc {
  if (bound !== undefined) return bound;
  if (Deno.build.os !== "linux") {
    throw new Error("Cannot bind libc: the epoll poller needs Linux");
  }
  let failure: unknown;
  for (const name of ["libc.so.6", "libc.so"]) {
    try {
      const { symbols } = Deno.dlopen(name, SYMBOLS);
      const location = symbols.__errno_location();
      if (location === null) throw new Error("Cannot find errno");
      const errno = new Int32Array(
        Deno.UnsafePointerView.getArrayBuffer(location, 4),
      );
      return bound = { symbols, errno: () => errno[0]! };
    } catch (error) {
      failure = error;
    }
  }
  throw new Error("Cannot bind libc", { cause: failure });
}

/** Linux errno numbers that the sockets meet, by name. */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  9: "EBADF",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  20: "ENOTDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  28: "ENOSPC",
  30: "EROFS",
  32: "EPIPE",
  90: "EMSGSIZE",
  92: "ENOPROTOOPT",
  95: "EOPNOTSUPP",
  97: "EAFNOSUPPORT",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
  100: "ENETDOWN",
  101: "ENETUNREACH",
  103: "ECONNABORTED",
  104: "ECONNRESET",
  105: "ENOBUFS",
  107: "ENOTCONN",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  112: "EHOSTDOWN",
  113: "EHOSTUNREACH",
  115: "EINPROGRESS",
};

/** `errno` when a non-blocking call would have to wait. */
export const EAGAIN = 11;
/** `errno` of a call that a signal cut short. */
export const EINTR = 4;
/** `errno` of a call on a stream whose peer is gone. */
export const ENOTCONN = 107;
/** `errno` of a connect that goes on. */
export const EINPROGRESS = 115;

/**
 * The name of an errno number.
 *
 * @param errno The number.
 * @returns Such as `ECONNRESET`; `E<number>` for one without a name here.
 */
export function errnoName(errno: number): string {
  return ERRNO_NAMES[errno] ?? `E${errno}`;
}
