// The far side of the benchmarks: one thread, epoll, loopback only.
//
//   bench_target ADDRESSES LOG [CERTIFICATE KEY]
//
// Listens on 127.0.0.1 ... 127.0.0.ADDRESSES with three ports that the kernel chooses, the same on each address, and
// prints them as one line "http 4001 tcp 4002 tls 4003". Without a certificate the tls port only accepts.
//   GET /t/ID          answered as the mode of ID says: ok (200), fail (500) or hang (never)
//   POST /hook         a webhook; ID is taken from "check":"cID" in its body
//   GET /control?mode=ok|fail|hang&from=A&step=S   sets every S-th ID from A on, and writes the log out
//   GET /stats         {"requests":N,"accepts":N,"handshakes":N}
// Arrivals are logged as records of 16 bytes in host order: nanoseconds of CLOCK_REALTIME, ID, event. The time of a
// request is when its first bytes were read; of an answer, when it was about to be sent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
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

enum { most_ids = 1 << 17, most_addresses = 64, buffer_size = 16384 };
enum mode { mode_ok, mode_fail, mode_hang };
enum event { event_request = 1, event_hook = 2, event_fail_sent = 3, event_ok_sent = 4 };
enum port { port_http, port_tcp, port_tls, port_count };

struct record {
  uint64_t at_ns;
  uint32_t id;
  uint32_t event;
};

struct connection {
  int descriptor;
  enum port port;
  bool listens;
  bool hangs;
  SSL *tls;
  uint64_t first_byte_ns;
  size_t size;
  char *text;
};

struct target {
  int poll;
  FILE *log;
  SSL_CTX *tls;
  uint64_t requests, accepts, handshakes;
  uint8_t modes[most_ids];
};

static volatile sig_atomic_t stopping;

static void stop(int signal_number) {
  (void)signal_number;
  stopping = 1;
}

static void die(const char *doing) {
  perror(doing);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void note(struct target *self, uint64_t at_ns, uint32_t id, enum event event) {
  const struct record record = {at_ns, id, event};
  fwrite(&record, sizeof record, 1, self->log);
}

static void watch(struct target *self, struct connection *connection) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = connection};
  if (epoll_ctl(self->poll, EPOLL_CTL_ADD, connection->descriptor, &event) != 0) die("epoll_ctl");
}

static void drop(struct connection *connection) {
  if (connection->tls != NULL) SSL_free(connection->tls);
  close(connection->descriptor);
  free(connection->text);
  free(connection);
}

static void answer(struct connection *connection, const char *status, const char *body) {
  char text[1024];
  const int size = snprintf(text, sizeof text,
                            "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                            status, strlen(body), body);
  // A few hundred bytes always fit into a new connection's buffer.
  if (send(connection->descriptor, text, (size_t)size, MSG_NOSIGNAL) != size) perror("send");
  drop(connection);
}

static uint32_t number_after(const char *text, const char *key, uint32_t otherwise) {
  const char *found = strstr(text, key);
  return found == NULL ? otherwise : (uint32_t)strtoul(found + strlen(key), NULL, 10);
}

static void control(struct target *self, struct connection *connection) {
  const char *text = connection->text;
  const uint32_t from = number_after(text, "from=", 0);
  const uint32_t step = number_after(text, "step=", 1);
  int mode = -1;
  if (strstr(text, "mode=ok") != NULL) mode = mode_ok;
  if (strstr(text, "mode=fail") != NULL) mode = mode_fail;
  if (strstr(text, "mode=hang") != NULL) mode = mode_hang;
  for (uint32_t id = from; mode >= 0 && step > 0 && id < most_ids; id += step) self->modes[id] = (uint8_t)mode;
  fflush(self->log);
  answer(connection, "200 OK", "done\n");
}

static void stats(struct target *self, struct connection *connection) {
  char body[160];
  snprintf(body, sizeof body, "{\"requests\":%llu,\"accepts\":%llu,\"handshakes\":%llu}\n",
           (unsigned long long)self->requests, (unsigned long long)self->accepts, (unsigned long long)self->handshakes);
  answer(connection, "200 OK", body);
}

/// A check's request. The body is 200 bytes, as a small health endpoint sends.
static void serve_check(struct target *self, struct connection *connection) {
  static const char body[] =
      "fine xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n";
  const uint32_t id = number_after(connection->text, "/t/", 0) % most_ids;
  ++self->requests;
  note(self, connection->first_byte_ns, id, event_request);
  switch ((enum mode)self->modes[id]) {
    case mode_hang:
      connection->hangs = true;
      return;
    case mode_fail:
      note(self, now_ns(), id, event_fail_sent);
      answer(connection, "500 Internal Server Error", "broken\n");
      return;
    case mode_ok:
      note(self, now_ns(), id, event_ok_sent);
      answer(connection, "200 OK", body);
      return;
  }
}

static void serve_hook(struct target *self, struct connection *connection, const char *body) {
  const char *check = strstr(body, "\"check\":");
  const char *name = check == NULL ? NULL : strchr(check + strlen("\"check\":"), '"');
  const uint32_t id = name == NULL ? 0 : (uint32_t)strtoul(name + 2, NULL, 10);
  note(self, connection->first_byte_ns, id, event_hook);
  answer(connection, "200 OK", "");
}

static void on_text(struct target *self, struct connection *connection) {
  char *end = strstr(connection->text, "\r\n\r\n");
  if (end == NULL) return;
  const size_t head = (size_t)(end + 4 - connection->text);
  const char *length = strcasestr(connection->text, "\r\ncontent-length:");
  const size_t body = length == NULL || length > end ? 0 : (size_t)strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
  if (connection->size < head + body) return;
  if (strncmp(connection->text, "POST /hook", 10) == 0)
    serve_hook(self, connection, end);
  else if (strncmp(connection->text, "GET /control", 12) == 0)
    control(self, connection);
  else if (strncmp(connection->text, "GET /stats", 10) == 0)
    stats(self, connection);
  else
    serve_check(self, connection);
}

static void on_http(struct target *self, struct connection *connection) {
  if (connection->text == NULL) {
    connection->text = malloc(buffer_size);
    connection->first_byte_ns = now_ns();
  }
  char *const into = connection->text + connection->size;
  const ssize_t count = recv(connection->descriptor, into, buffer_size - 1 - connection->size, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    drop(connection);
    return;
  }
  if (connection->hangs) return;
  connection->size += (size_t)count;
  connection->text[connection->size] = '\0';
  on_text(self, connection);
}

/// TCP and TLS: the client is done when the connection stands, and closes it.
static void on_silent(struct target *self, struct connection *connection) {
  if (connection->tls != NULL && !SSL_is_init_finished(connection->tls)) {
    const int done = SSL_accept(connection->tls);
    if (done == 1) {
      ++self->handshakes;
      return;
    }
    const int error = SSL_get_error(connection->tls, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) drop(connection);
    return;
  }
  char scrap[4096];
  const ssize_t count = recv(connection->descriptor, scrap, sizeof scrap, 0);
  if (count == 0 || (count < 0 && errno != EAGAIN)) drop(connection);
}

static void on_listener(struct target *self, const struct connection *listener) {
  for (;;) {
    const int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    struct connection *connection = calloc(1, sizeof *connection);
    connection->descriptor = descriptor;
    connection->port = listener->port;
    ++self->accepts;
    if (listener->port == port_tls && self->tls != NULL) {
      connection->tls = SSL_new(self->tls);
      SSL_set_fd(connection->tls, descriptor);
    }
    watch(self, connection);
  }
}

/// `port` 0: the kernel chooses one, which the other addresses then take as well.
static uint16_t listen_on(struct target *self, enum port kind, uint32_t address, uint16_t port) {
  struct connection *listener = calloc(1, sizeof *listener);
  listener->listens = true;
  listener->port = kind;
  listener->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001u + address)};
  socklen_t size = sizeof name;
  if (bind(listener->descriptor, (struct sockaddr *)&name, size) != 0) die("bind");
  if (listen(listener->descriptor, 4096) != 0) die("listen");
  if (getsockname(listener->descriptor, (struct sockaddr *)&name, &size) != 0) die("getsockname");
  watch(self, listener);
  return ntohs(name.sin_port);
}

static void load_certificate(struct target *self, const char *certificate, const char *key) {
  self->tls = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_num_tickets(self->tls, 0);
  if (SSL_CTX_use_certificate_chain_file(self->tls, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(self->tls, key, SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "cannot use certificate %s with key %s\n", certificate, key);
    exit(1);
  }
}

static void serve(struct target *self) {
  struct epoll_event events[512];
  while (!stopping) {
    const int count = epoll_wait(self->poll, events, 512, 500);
    for (int i = 0; i < count; ++i) {
      struct connection *connection = events[i].data.ptr;
      if (connection->listens)
        on_listener(self, connection);
      else if (connection->port == port_http)
        on_http(self, connection);
      else
        on_silent(self, connection);
    }
  }
}

int main(int argc, char **argv) {
  static struct target self;
  const int addresses = argc >= 3 ? atoi(argv[1]) : 0;
  if (addresses < 1 || addresses > most_addresses) {
    fprintf(stderr, "usage: bench_target ADDRESSES LOG [CERTIFICATE KEY]\n");
    return 64;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  self.log = fopen(argv[2], "wb");
  if (self.log == NULL) die(argv[2]);
  setvbuf(self.log, NULL, _IOFBF, 1 << 20);
  self.poll = epoll_create1(EPOLL_CLOEXEC);
  if (argc >= 5) load_certificate(&self, argv[3], argv[4]);
  uint16_t ports[port_count] = {0};
  for (int kind = 0; kind < port_count; ++kind)
    for (int address = 0; address < addresses; ++address)
      ports[kind] = listen_on(&self, (enum port)kind, (uint32_t)address, ports[kind]);
  printf("http %u tcp %u tls %u\n", ports[port_http], ports[port_tcp], ports[port_tls]);
  fflush(stdout);
  serve(&self);
  fclose(self.log);
  return 0;
}
