// The load of the benchmark: a WebSocket client over raw TCP that knows no library. One thread, epoll, no frame parsing
// on the hot path: every frame of the server has a known length, so the receiver only counts bytes.
//
//   loadgen echo      --port P --conns N --window W --size S [--text|--utf8|--json] [--raw] [--burst] [--path /]
//   loadgen handshake --port P --conns C [--raw]
//   loadgen idle      --port P --conns K [--raw]     prints OPEN, holds until a line or the end of its input
//   loadgen fanout    --port P --conns SUBSCRIBERS --window W --size S [--stalled K]
//
// All but idle take --warmup ms, --duration ms and --pid, the process of the server, whose CPU time is read from
// schedstat. The result is one line of JSON; {"error": ...} if there is none.
//
// --json: the payload is {"text":"aaa..."} of exactly S bytes, a text message that a JSON echo gives back unchanged.
// --stalled: so many more subscribers that never read; what is counted and waited for are the others.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static int port = 0, nconn = 1, window = 1, raw = 0, burst = 0, text = 0, utf8 = 0, json = 0, stalled = 0;
static long size_ = 128, warmup_ms = 300, duration_ms = 1000, pid = 0;
static const char *path = "/", *mode = "echo";
static uint32_t src_rot = 0;

static void die(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  char b[512];
  vsnprintf(b, sizeof b, fmt, ap);
  va_end(ap);
  printf("{\"error\":\"%s (errno %d %s)\"}\n", b, errno, strerror(errno));
  fflush(stdout);
  exit(1);
}
static inline uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static uint64_t rs = 0x9E3779B97F4A7C15ull;
static inline uint64_t rnd(void) {
  rs ^= rs << 13;
  rs ^= rs >> 7;
  rs ^= rs << 17;
  return rs;
}

// ---------- histogram: 64 linear sub-buckets per power of two ----------
#define HB (64 * 48)
static uint64_t hist[HB], hist_n;
static inline int hidx(uint64_t v) {
  if (v < 64) return (int)v;
  int e = 63 - __builtin_clzll(v);
  return (e - 5) * 64 + (int)((v >> (e - 6)) & 63);
}
static double hval(int i) {
  if (i < 64) return i;
  int e = i / 64 + 5;
  return (double)((1ull << e) + (((uint64_t)(i & 63)) << (e - 6))) + (double)(1ull << (e - 6)) / 2;
}
static inline void hadd(uint64_t v) {
  int i = hidx(v);
  if (i >= HB) i = HB - 1;
  hist[i]++;
  hist_n++;
}
static double hq(double q) {
  uint64_t t = (uint64_t)(q * hist_n), a = 0;
  if (!hist_n) return 0;
  for (int i = 0; i < HB; i++) {
    a += hist[i];
    if (a > t) return hval(i) / 1000.0;
  }
  return 0;
}

// ---------- server CPU accounting from schedstat ----------
typedef struct {
  double cpu, main_cpu, main_delay;
} sched_t;
static sched_t sched_read(long p) {
  sched_t r = {0};
  if (!p) return r;
  char b[128];
  snprintf(b, sizeof b, "/proc/%ld/task", p);
  DIR *d = opendir(b);
  if (!d) return r;
  struct dirent *e;
  while ((e = readdir(d))) {
    if (e->d_name[0] == '.') continue;
    char f[320];
    snprintf(f, sizeof f, "/proc/%ld/task/%s/schedstat", p, e->d_name);
    FILE *h = fopen(f, "r");
    if (!h) continue;
    unsigned long long a = 0, w = 0;
    if (fscanf(h, "%llu %llu", &a, &w) == 2) {
      r.cpu += a;
      if (atol(e->d_name) == p) {
        r.main_cpu = a;
        r.main_delay = w;
      }
    }
    fclose(h);
  }
  closedir(d);
  return r;
}

// ---------- frames ----------
static size_t hdrlen(size_t n) { return n < 126 ? 2 : n < 65536 ? 4 : 10; }
static size_t puthdr(uint8_t *o, int op, size_t n, int masked) {
  o[0] = 0x80 | op;
  uint8_t m = masked ? 0x80 : 0;
  if (n < 126) {
    o[1] = m | n;
    return 2;
  }
  if (n < 65536) {
    o[1] = m | 126;
    o[2] = n >> 8;
    o[3] = n;
    return 4;
  }
  o[1] = m | 127;
  for (int i = 0; i < 8; i++) o[2 + i] = (uint64_t)n >> (56 - 8 * i);
  return 10;
}
static uint8_t *tmpl, *plain, *expect_;
static size_t tmpl_len, FC, FS;
static void build(int frames) {
  size_t S = size_;
  int op = (text || utf8 || json) ? 1 : 2;
  plain = malloc(S + 8);
  if (json) {
    if (S < 11) die("a JSON payload has at least 11 bytes");
    memcpy(plain, "{\"text\":\"", 9);
    memset(plain + 9, 'a', S - 11);
    memcpy(plain + S - 2, "\"}", 2);
  } else if (utf8) {
    static const char *pieces[] = {"a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "hello "};
    size_t i = 0;
    while (i < S) {
      const char *p = pieces[rnd() % 5];
      size_t l = strlen(p);
      if (i + l > S) {
        plain[i++] = 'x';
        continue;
      }
      memcpy(plain + i, p, l);
      i += l;
    }
  } else if (text)
    for (size_t i = 0; i < S; i++) plain[i] = 32 + rnd() % 95;
  else
    for (size_t i = 0; i < S; i++) plain[i] = rnd() >> 24;
  FC = hdrlen(S) + 4 + S;
  FS = raw ? FC : hdrlen(S) + S;
  tmpl_len = FC * frames;
  tmpl = malloc(tmpl_len);
  for (int f = 0; f < frames; f++) {
    uint8_t *o = tmpl + (size_t)f * FC;
    o += puthdr(o, op, S, 1);
    uint8_t k[4];
    uint32_t r = (uint32_t)(rnd() >> 16) | 0x01010101u;
    memcpy(k, &r, 4);
    memcpy(o, k, 4);
    o += 4;
    for (size_t i = 0; i < S; i++) o[i] = plain[i] ^ k[i & 3];
  }
  expect_ = malloc(FS);
  if (raw)
    memcpy(expect_, tmpl, FS);
  else {
    size_t h = puthdr(expect_, op, S, 0);
    memcpy(expect_ + h, plain, S);
  }
}

// ---------- connections ----------
enum { CONNECTING, UPGRADING, OPEN_, CLOSING, DEAD };
typedef struct {
  int fd, st, want_out;
  uint32_t hl;
  uint64_t rx, done, tx, target, t0;
  char *hb;
} conn_t;
static int ep;
static conn_t *C;
static char req[512];
static int reqlen;
static char reqpub[512];
static int reqpublen;
static void mkreq(void) {
  const char *f = "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: "
                  "Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  reqlen = snprintf(req, sizeof req, f, path, port);
  reqpublen = snprintf(reqpub, sizeof reqpub, f, "/pub", port);
}
static void arm(conn_t *c, int out) {
  if (c->want_out == out) return;
  c->want_out = out;
  struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | (out ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static int narrow = 0; // a small receive buffer, which is full soon
static void start_connect(conn_t *c) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (narrow) {
    int size = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  struct sockaddr_in s = {.sin_family = AF_INET};
  s.sin_addr.s_addr = htonl(0x7f000001u + (src_rot++ % 100)); // 127.0.0.1..100: avoids TIME_WAIT port exhaustion
  bind(fd, (void *)&s, sizeof s);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(0x7f000001u);
  int r = connect(fd, (void *)&a, sizeof a);
  if (r < 0 && errno != EINPROGRESS) die("connect");
  c->fd = fd;
  c->st = CONNECTING;
  c->hl = 0;
  c->rx = c->done = c->tx = c->target = 0;
  c->want_out = 1;
  c->t0 = now();
  struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT, .data.ptr = c};
  if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
}
// returns 1 once open, 0 pending
static int hs_step(conn_t *c, uint32_t ev) {
  if (c->st == CONNECTING && (ev & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
    int err = 0;
    socklen_t l = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &l);
    if (err) {
      errno = err;
      die("connect failed");
    }
    if (raw) {
      c->st = OPEN_;
      arm(c, 0);
      return 1;
    }
    int pub = c->hb == (char *)-1;
    const char *q = pub ? reqpub : req;
    int ql = pub ? reqpublen : reqlen;
    if (send(c->fd, q, ql, MSG_NOSIGNAL) != ql) die("send upgrade");
    c->st = UPGRADING;
    arm(c, 0);
  }
  if (c->st == UPGRADING && (ev & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))) {
    static char b[8192]; // a 101 answer arrives whole on loopback; a split one is re-read with MSG_PEEK
    ssize_t n = recv(c->fd, b, sizeof b - 1, MSG_PEEK);
    if (n <= 0) {
      if (n < 0 && errno == EAGAIN) return 0;
      die("closed during upgrade");
    }
    b[n] = 0;
    char *e = memmem(b, n, "\r\n\r\n", 4);
    if (!e) return 0;
    if (strncmp(b, "HTTP/1.1 101", 12) || !strstr(b, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
      die("bad upgrade answer: %.40s", b);
    recv(c->fd, b, e + 4 - b, 0);
    c->st = OPEN_;
    return 1;
  }
  return 0;
}
static void open_all(conn_t *a, int n) {
  int started = 0, open = 0;
  struct epoll_event ev[256];
  uint64_t t = now();
  while (open < n) {
    while (started < n && started - open < 128) start_connect(&a[started++]);
    int k = epoll_wait(ep, ev, 256, 1000);
    for (int i = 0; i < k; i++) {
      conn_t *c = ev[i].data.ptr;
      if (c->st < OPEN_)
        open += hs_step(c, ev[i].events);
      else if (ev[i].events & (EPOLLRDHUP | EPOLLHUP))
        die("server closed a connection while opening (%d open)", open);
    }
    if (now() - t > 60000000000ull) die("timeout opening connections: %d of %d", open, n);
  }
}
static inline void flush_(conn_t *c) {
  while (c->tx < c->target) {
    size_t off = c->tx % tmpl_len, n = c->target - c->tx;
    if (n > tmpl_len - off) n = tmpl_len - off;
    ssize_t w = send(c->fd, tmpl + off, n, MSG_NOSIGNAL);
    if (w < 0) {
      if (errno == EAGAIN) {
        arm(c, 1);
        return;
      }
      die("send");
    }
    c->tx += w;
    if ((size_t)w < n) {
      arm(c, 1);
      return;
    }
  }
  if (c->want_out) arm(c, 0);
}
static void verify(conn_t *c) { // one message, echoed and compared byte for byte
  size_t o = 0;
  struct pollfd p = {.fd = c->fd};
  uint8_t *b = malloc(FS);
  size_t got = 0;
  uint64_t t = now();
  while (got < FS) {
    p.events = POLLIN | (o < FC ? POLLOUT : 0);
    poll(&p, 1, 1000);
    if (o < FC) {
      ssize_t w = send(c->fd, tmpl + o, FC - o, MSG_NOSIGNAL);
      if (w > 0) o += w;
    }
    ssize_t r = recv(c->fd, b + got, FS - got, 0);
    if (r > 0) got += r;
    if (r == 0) die("closed in verify");
    if (now() - t > 20000000000ull) die("verify timeout, %zu of %zu bytes", got, FS);
  }
  if (memcmp(b, expect_, FS)) die("verify mismatch: got header %02x %02x", b[0], b[1]);
  free(b);
}
static double cpu_self(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e9 + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e3;
}

#define RB (256 * 1024)
static uint8_t *rbuf;
static sched_t s0, s1, l0, l1;
static double c0, c1;
static uint64_t T0, T1;
static void mark0(void) {
  s0 = sched_read(pid);
  l0 = sched_read(getpid());
  c0 = cpu_self();
  memset(hist, 0, sizeof hist);
  hist_n = 0;
  T0 = now();
}
static void mark1(void) {
  T1 = now();
  s1 = sched_read(pid);
  l1 = sched_read(getpid());
  c1 = cpu_self();
}
static void tail(double msgs) {
  double w = T1 - T0, others = (s1.cpu - s0.cpu) - (s1.main_cpu - s0.main_cpu),
         f0 = (s1.main_delay - s0.main_delay) - others;
  if (f0 < 0) f0 = 0;
  printf(",\"cpuPerMessage\":%.1f,\"serverCpu\":%.4f,\"generatorCpu\":%.4f,\"foreignServer\":%.4f,\"foreignGenerator\":"
         "%.4f",
         pid && msgs > 0 ? (s1.cpu - s0.cpu) / msgs : 0, (s1.cpu - s0.cpu) / w, (c1 - c0) / w, f0 / w,
         (l1.main_delay - l0.main_delay) / w);
}

static void run_echo(void) {
  build(window);
  open_all(C, nconn);
  for (int i = 0; i < nconn && i < 4; i++) verify(&C[i]);
  struct epoll_event ev[512];
  uint64_t total = 0, m0 = 0, m1 = 0;
  int phase = 0;
  uint64_t tstart = now(), tw = tstart + warmup_ms * 1000000ull, te = 0, tdrain = 0;
  for (int i = 0; i < nconn; i++) {
    conn_t *c = &C[i];
    c->t0 = now();
    c->target = (uint64_t)window * FC;
    flush_(c);
  }
  uint64_t inflight = 0;
  int lat = window == 1;
  for (;;) {
    int k = epoll_wait(ep, ev, 512, 20);
    uint64_t t = now();
    if (phase == 0 && t >= tw) {
      phase = 1;
      mark0();
      m0 = total;
      te = T0 + duration_ms * 1000000ull;
    } else if (phase == 1 && t >= te) {
      mark1();
      m1 = total;
      phase = 2;
      tdrain = t + 5000000000ull;
    }
    if (phase == 2) {
      int left = 0;
      inflight = 0;
      for (int i = 0; i < nconn; i++) {
        uint64_t want = C[i].target / FC * FS;
        if (C[i].rx < want) {
          left++;
          inflight += want - C[i].rx;
        } else if (C[i].rx > want)
          die("received more bytes than expected");
      }
      if (!left) break;
      if (t > tdrain) break;
    }
    for (int i = 0; i < k; i++) {
      conn_t *c = ev[i].data.ptr;
      if (ev[i].events & EPOLLIN) {
        for (;;) {
          ssize_t n = recv(c->fd, rbuf, RB, 0);
          if (n <= 0) {
            if (n < 0 && errno == EAGAIN) break;
            die("server closed a connection in the run");
          }
          c->rx += n;
          total += n;
          if (n < RB) break;
        }
        uint64_t d = c->rx / FS, nw = d - c->done;
        if (nw) {
          if (burst) {
            if (c->rx < c->target / FC * FS) goto out;
            nw = window;
          }
          c->done = d;
          if (lat) {
            uint64_t t2 = now();
            if (phase == 1) hadd(t2 - c->t0);
            c->t0 = t2;
          }
          if (phase < 2) {
            c->target += nw * FC;
            flush_(c);
          }
        }
      }
    out:
      if (ev[i].events & EPOLLOUT) flush_(c);
      if ((ev[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !(ev[i].events & EPOLLIN))
        die("server closed a connection");
    }
  }
  double w = (T1 - T0) / 1e9, msgs = (double)(m1 - m0) / FS;
  printf("{\"mode\":\"echo\",\"conns\":%d,\"window\":%d,\"size\":%ld,\"messagesPerSecond\":%.1f,\"missingBytes\":%llu",
         nconn, window, size_, msgs / w, (unsigned long long)inflight);
  if (lat)
    printf(",\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"samples\":%llu", hq(.5), hq(.9), hq(.99), hq(.999),
           (unsigned long long)hist_n);
  tail(msgs);
  printf("}\n");
}

static void run_handshake(void) {
  static const uint8_t closef[8] = {0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe8 ^ 2};
  struct epoll_event ev[256];
  uint64_t done = 0, d0 = 0, d1 = 0, rst = 0;
  int phase = 0;
  uint64_t tw = now() + warmup_ms * 1000000ull, te = 0;
  for (int i = 0; i < nconn; i++) start_connect(&C[i]);
  for (;;) {
    int k = epoll_wait(ep, ev, 256, 20);
    uint64_t t = now();
    if (phase == 0 && t >= tw) {
      phase = 1;
      mark0();
      d0 = done;
      te = T0 + duration_ms * 1000000ull;
    } else if (phase == 1 && t >= te) {
      mark1();
      d1 = done;
      break;
    }
    for (int i = 0; i < k; i++) {
      conn_t *c = ev[i].data.ptr;
      if (c->st < OPEN_) {
        if (!hs_step(c, ev[i].events)) continue;
        if (phase == 1) hadd(now() - c->t0);
        if (raw) goto fin;
        send(c->fd, closef, 8, MSG_NOSIGNAL);
        c->st = CLOSING;
        continue;
      }
      ssize_t n = recv(c->fd, rbuf, RB, 0);
      if (n > 0) {
        if (rbuf[0] != 0x88) die("expected close frame, got %02x", rbuf[0]);
        continue;
      }
      if (n < 0) {
        if (errno == EAGAIN) continue;
        rst++;
      }
    fin:
      close(c->fd);
      done++;
      start_connect(c);
    }
  }
  double w = (T1 - T0) / 1e9, m = d1 - d0;
  printf("{\"mode\":\"handshake\",\"conns\":%d,\"messagesPerSecond\":%.1f,\"resets\":%llu,\"p50\":%.1f,\"p99\":%.1f",
         nconn, m / w, (unsigned long long)rst, hq(.5), hq(.99));
  tail(m);
  printf("}\n");
}

static void run_idle(void) {
  uint64_t t = now();
  open_all(C, nconn);
  printf("OPEN %d %.3f\n", nconn, (now() - t) / 1e9);
  fflush(stdout);
  char b[16];
  ssize_t r = read(0, b, sizeof b);
  (void)r;
  int dead = 0;
  for (int i = 0; i < nconn; i++) {
    ssize_t n = recv(C[i].fd, rbuf, RB, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) dead++;
  }
  printf("{\"mode\":\"idle\",\"conns\":%d,\"closed_by_server\":%d}\n", nconn, dead);
}

// Gives those that never read more than the system buffers for them, before there are others.
#define FILL (8 * 1024 * 1024)
#define FILL_PIECE 65536
static void fill(void) {
  conn_t *p = calloc(1, sizeof *p);
  p->hb = (char *)-1;
  open_all(p, 1);
  usleep(100000);
  size_t length = hdrlen(FILL_PIECE) + 4 + FILL_PIECE;
  uint8_t *frame = calloc(1, length); // a payload of zeros, masked by zeros
  puthdr(frame, 2, FILL_PIECE, 1);
  // a server that waits for the slowest does not take it all
  uint64_t at = 0, all = (uint64_t)FILL / FILL_PIECE * length, end = now() + 2000000000ull;
  struct pollfd f = {.fd = p->fd, .events = POLLOUT};
  while (at < all && now() < end) {
    poll(&f, 1, 100);
    size_t offset = at % length;
    ssize_t w = send(p->fd, frame + offset, length - offset, MSG_NOSIGNAL);
    if (w < 0 && errno != EAGAIN) break;
    if (w > 0) at += w;
  }
  epoll_ctl(ep, EPOLL_CTL_DEL, p->fd, NULL);
  usleep(400000);
  free(frame);
}

static void run_fanout(void) {
  build(window);
  path = "/sub";
  mkreq();
  // the first to subscribe, so that a server that waits for one of them waits before it has served the others
  conn_t *mute = calloc(stalled + 1, sizeof *mute);
  narrow = 1;
  open_all(mute, stalled);
  narrow = 0;
  for (int i = 0; i < stalled; i++) epoll_ctl(ep, EPOLL_CTL_DEL, mute[i].fd, NULL);
  if (stalled > 0) fill();
  open_all(C, nconn);
  conn_t *p = calloc(1, sizeof *p);
  p->hb = (char *)-1;
  open_all(p, 1);
  usleep(100000);
  struct epoll_event ev[512];
  uint64_t total = 0, m0 = 0, m1 = 0;
  int phase = 0;
  uint64_t tw = now() + warmup_ms * 1000000ull, te = 0, td = 0;
  uint64_t per = FS * (uint64_t)nconn;
  p->target = (uint64_t)window * FC;
  flush_(p);
  uint64_t rounds = 0, want = 0;
  for (;;) {
    int k = epoll_wait(ep, ev, 512, 20);
    uint64_t t = now();
    if (phase == 0 && t >= tw) {
      phase = 1;
      mark0();
      m0 = total;
      te = T0 + duration_ms * 1000000ull;
    } else if (phase == 1 && t >= te) {
      mark1();
      m1 = total;
      phase = 2;
      td = t + 5000000000ull;
    }
    if (phase == 2) {
      want = p->target / FC * per;
      if (total >= want || t > td) break;
    }
    for (int i = 0; i < k; i++) {
      conn_t *c = ev[i].data.ptr;
      if (ev[i].events & EPOLLIN) {
        ssize_t n = recv(c->fd, rbuf, RB, 0);
        if (n <= 0) {
          if (n < 0 && errno == EAGAIN) continue;
          die("server closed a subscriber");
        }
        if (c != p) {
          c->rx += n;
          total += n;
        }
      }
      if (c == p && (ev[i].events & EPOLLOUT)) flush_(p);
      if ((ev[i].events & (EPOLLRDHUP | EPOLLHUP)) && !(ev[i].events & EPOLLIN)) die("server closed a connection");
    }
    uint64_t r = total / per;
    if (r > rounds) {
      if (phase < 2) {
        p->target += (r - rounds) * FC;
        flush_(p);
      }
      rounds = r;
    }
  }
  uint64_t lost = want > total ? want - total : 0;
  int uneven = 0;
  for (int i = 0; i < nconn; i++)
    if (C[i].rx != C[0].rx) uneven++;
  double w = (T1 - T0) / 1e9, m = (double)(m1 - m0) / FS;
  printf("{\"mode\":\"fanout\",\"conns\":%d,\"window\":%d,\"size\":%ld,\"messagesPerSecond\":%.1f,\"missingBytes\":%"
         "llu,\"uneven\":%d",
         nconn, window, size_, m / w, (unsigned long long)lost, uneven);
  tail(m);
  printf("}\n");
}

int main(int ac, char **av) {
  if (ac < 2) {
    fprintf(stderr, "usage: loadgen echo|handshake|idle|fanout --port P ...\n");
    return 2;
  }
  mode = av[1];
  for (int i = 2; i < ac; i++) {
    char *a = av[i];
    if (!strcmp(a, "--text"))
      text = 1;
    else if (!strcmp(a, "--utf8"))
      utf8 = 1;
    else if (!strcmp(a, "--json"))
      json = 1;
    else if (!strcmp(a, "--raw"))
      raw = 1;
    else if (!strcmp(a, "--burst"))
      burst = 1;
    else if (i + 1 < ac) {
      char *v = av[++i];
      if (!strcmp(a, "--port"))
        port = atoi(v);
      else if (!strcmp(a, "--conns"))
        nconn = atoi(v);
      else if (!strcmp(a, "--window"))
        window = atoi(v);
      else if (!strcmp(a, "--size"))
        size_ = atol(v);
      else if (!strcmp(a, "--stalled"))
        stalled = atoi(v);
      else if (!strcmp(a, "--warmup"))
        warmup_ms = atol(v);
      else if (!strcmp(a, "--duration"))
        duration_ms = atol(v);
      else if (!strcmp(a, "--pid"))
        pid = atol(v);
      else if (!strcmp(a, "--path"))
        path = v;
      else {
        fprintf(stderr, "unknown option %s\n", a);
        return 2;
      }
    } else {
      fprintf(stderr, "unknown option %s\n", a);
      return 2;
    }
  }
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  rbuf = malloc(RB);
  ep = epoll_create1(0);
  C = calloc(nconn, sizeof *C);
  mkreq();
  if (!strcmp(mode, "echo"))
    run_echo();
  else if (!strcmp(mode, "handshake"))
    run_handshake();
  else if (!strcmp(mode, "idle"))
    run_idle();
  else if (!strcmp(mode, "fanout"))
    run_fanout();
  else
    return 2;
  fflush(stdout);
  _exit(0);
}
