// What a check costs at least: the same probes as the daemon's, by nothing but a loop over epoll.
//
//   bench_bare_loop KIND PORT COUNT RATE [ADDRESSES [CA]]
//
// KIND is http, tcp or tls; every probe makes a new connection to 127.0.0.1 ... 127.0.0.ADDRESSES in turn. RATE is in
// probes a second, evenly spaced; 0 means flat out, with 100 in flight. A loop with a pace pays for waking up, as the
// daemon does, so the two are compared at the same rate. Prints JSON: processor time and system calls for each probe.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most_flat_out = 100, most_paced = 4096, buffer_size = 2048 };
enum kind { kind_http, kind_tcp, kind_tls };

struct probe {
  int descriptor;
  bool connected;
  SSL *tls;
  size_t size;
  char text[buffer_size];
  struct probe *next_free;
};

struct loop {
  enum kind kind;
  uint16_t port;
  unsigned addresses;
  SSL_CTX *tls;
  int poll;
  struct probe *free;
  uint64_t started, done, failed, calls;
};

static void die(const char *doing) {
  perror(doing);
  exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void finish(struct loop *self, struct probe *probe, bool good) {
  if (probe->tls != NULL) {
    SSL_set_quiet_shutdown(probe->tls, 1);
    SSL_free(probe->tls);
    probe->tls = NULL;
  }
  close(probe->descriptor);
  ++self->calls;
  ++self->done;
  if (!good) ++self->failed;
  probe->next_free = self->free;
  self->free = probe;
}

static void start(struct loop *self) {
  struct probe *probe = self->free;
  self->free = probe->next_free;
  probe->size = 0;
  probe->connected = false;
  const uint32_t address = 0x7f000001u + (uint32_t)(self->started++ % self->addresses);
  const struct sockaddr_in name = {
      .sin_family = AF_INET, .sin_port = htons(self->port), .sin_addr.s_addr = htonl(address)};
  probe->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe->descriptor < 0) die("socket");
  if (connect(probe->descriptor, (const struct sockaddr *)&name, sizeof name) != 0 && errno != EINPROGRESS) die("connect");
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = probe};
  if (epoll_ctl(self->poll, EPOLL_CTL_ADD, probe->descriptor, &event) != 0) die("epoll_ctl");
  self->calls += 3;
  if (self->kind != kind_tls) return;
  probe->tls = SSL_new(self->tls);
  SSL_set_fd(probe->tls, probe->descriptor);
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &name.sin_addr, text, sizeof text);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(probe->tls), text);
}

/// Every read and write of OpenSSL's socket BIO is a system call: count them.
static long count_calls(BIO *bio, int operation, const char *data, size_t size, int argument, long other, int result,
                        size_t *processed) {
  (void)data, (void)size, (void)argument, (void)other, (void)processed;
  struct loop *self = (struct loop *)BIO_get_callback_arg(bio);
  if (operation == BIO_CB_READ || operation == BIO_CB_WRITE) ++self->calls;
  return result;
}

static void continue_tls(struct loop *self, struct probe *probe) {
  BIO *bio = SSL_get_rbio(probe->tls);
  BIO_set_callback_arg(bio, (char *)self);
  BIO_set_callback_ex(bio, count_calls);
  const int result = SSL_connect(probe->tls);
  if (result == 1) {
    finish(self, probe, true);
    return;
  }
  const int error = SSL_get_error(probe->tls, result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) finish(self, probe, false);
}

static void ask(struct loop *self, struct probe *probe) {
  char request[160];
  const int size = snprintf(request, sizeof request,
                            "GET /t/%llu HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bare_loop\r\nAccept: */*\r\n"
                            "Connection: close\r\n\r\n",
                            (unsigned long long)(self->started % 1000));
  ++self->calls;
  if (send(probe->descriptor, request, (size_t)size, MSG_NOSIGNAL) != size) finish(self, probe, false);
}

/// The answer came whole or not at all: it is small, and the target sends it in one piece.
static void read_answer(struct loop *self, struct probe *probe) {
  ++self->calls;
  const ssize_t count = recv(probe->descriptor, probe->text, buffer_size - 1, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count > 0) probe->text[count] = '\0';
  const bool whole = count > 0 && strstr(probe->text, "\r\n\r\n") != NULL;
  finish(self, probe, whole && strncmp(probe->text, "HTTP/1.1 200", 12) == 0);
}

static void on_event(struct loop *self, struct probe *probe, uint32_t events) {
  if ((events & EPOLLERR) != 0) {
    finish(self, probe, false);
    return;
  }
  if (!probe->connected) {
    if ((events & EPOLLOUT) == 0) return;
    probe->connected = true;
    if (self->kind == kind_tcp) {
      finish(self, probe, true);
      return;
    }
    if (self->kind == kind_http) {
      ask(self, probe);
      return;
    }
  }
  if (self->kind == kind_tls)
    continue_tls(self, probe);
  else if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0)
    read_answer(self, probe);
}

static void run(struct loop *self, uint64_t count, double rate) {
  struct epoll_event events[256];
  const double begin = seconds();
  while (self->done < count) {
    double pause = 5.0;
    while (self->started < count && self->free != NULL) {
      pause = rate > 0 ? (double)self->started / rate - (seconds() - begin) : 0;
      if (pause > 0) break;
      start(self);
      pause = 5.0;
    }
    const struct timespec wait = {(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)};
    ++self->calls;
    const int ready = epoll_pwait2(self->poll, events, 256, &wait, NULL);
    if (ready == 0 && pause >= 5.0) {
      fprintf(stderr, "bench_bare_loop: no answer for 5 s, %llu of %llu done\n", (unsigned long long)self->done,
              (unsigned long long)count);
      exit(1);
    }
    for (int i = 0; i < ready; ++i) on_event(self, events[i].data.ptr, events[i].events);
  }
}

static double micros(struct timeval from, struct timeval to) {
  return (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_usec - from.tv_usec);
}

static void prepare(struct loop *self, bool paced, const char *ca) {
  const unsigned places = paced ? most_paced : most_flat_out;
  struct probe *probes = calloc(places, sizeof *probes);
  for (unsigned i = 0; i < places; ++i) {
    probes[i].next_free = self->free;
    self->free = &probes[i];
  }
  self->poll = epoll_create1(EPOLL_CLOEXEC);
  if (self->kind != kind_tls) return;
  self->tls = SSL_CTX_new(TLS_client_method());
  if (ca == NULL || SSL_CTX_load_verify_locations(self->tls, ca, NULL) != 1) {
    fprintf(stderr, "bench_bare_loop: tls needs a CA file that can be read\n");
    exit(64);
  }
  SSL_CTX_set_verify(self->tls, SSL_VERIFY_PEER, NULL);
}

int main(int argc, char **argv) {
  static struct loop self;
  if (argc < 5) {
    fprintf(stderr, "usage: bench_bare_loop http|tcp|tls PORT COUNT RATE [ADDRESSES [CA]]\n");
    return 64;
  }
  self.kind = strcmp(argv[1], "tls") == 0 ? kind_tls : strcmp(argv[1], "tcp") == 0 ? kind_tcp : kind_http;
  self.port = (uint16_t)atoi(argv[2]);
  const uint64_t count = strtoull(argv[3], NULL, 10);
  const double rate = atof(argv[4]);
  self.addresses = argc > 5 ? (unsigned)atoi(argv[5]) : 1;
  prepare(&self, rate > 0, argc > 6 ? argv[6] : NULL);

  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const double begin = seconds();
  run(&self, count, rate);
  const double wall = seconds() - begin;
  getrusage(RUSAGE_SELF, &after);
  const double user = micros(before.ru_utime, after.ru_utime) / (double)self.done;
  const double system = micros(before.ru_stime, after.ru_stime) / (double)self.done;
  printf("{\"kind\":\"%s\",\"count\":%llu,\"failed\":%llu,\"rate\":%.1f,\"cpu_us\":%.2f,\"user_us\":%.2f,\"system_us\":%.2f,"
         "\"calls\":%.2f}\n",
         argv[1], (unsigned long long)self.done, (unsigned long long)self.failed, (double)self.done / wall, user + system,
         user, system, (double)self.calls / (double)self.done);
  return self.failed > 0 ? 1 : 0;
}
