/* What a check of a database is compared with: connect, ask, close, with the same client library and nothing else.

   usage: bench_bare_database mysql|mysql-kept|postgres|postgres-kept|redis|redis-kept WHERE USER PASSWORD COUNT RATE

   WHERE is a Unix socket (postgres: the folder of it and the port, as FOLDER:PORT). One conversation at a time, RATE a
   second (0: flat out). Prints one line of JSON. */
#include <errno.h>
#include <hiredis.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct place {
  const char *where, *user, *password;
  char folder[200];
  const char *port;
};

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static MYSQL *mysql_open(const struct place *at) {
  MYSQL *link = mysql_init(NULL);
  if (!mysql_real_connect(link, NULL, at->user, at->password, NULL, 0, at->where, 0))
    die("connect", mysql_error(link));
  return link;
}

static void mysql_ask(MYSQL *link) {
  if (mysql_query(link, "SELECT 1")) die("SELECT 1", mysql_error(link));
  MYSQL_RES *result = mysql_store_result(link);
  if (!result || !mysql_fetch_row(result)) die("SELECT 1", mysql_error(link));
  mysql_free_result(result);
}

static PGconn *postgres_open(const struct place *at) {
  const char *const keys[] = {"host", "port", "user", "password", "dbname", "sslmode", "gssencmode", NULL};
  const char *const values[] = {at->folder, at->port, at->user, at->password, "postgres", "disable", "disable", NULL};
  PGconn *link = PQconnectdbParams(keys, values, 0);
  if (PQstatus(link) != CONNECTION_OK) die("connect", PQerrorMessage(link));
  return link;
}

static void postgres_ask(PGconn *link) {
  PGresult *result = PQexec(link, "SELECT 1");
  if (PQresultStatus(result) != PGRES_TUPLES_OK) die("SELECT 1", PQerrorMessage(link));
  PQclear(result);
}

static redisContext *redis_open(const struct place *at) {
  redisContext *link = redisConnectUnix(at->where);
  if (!link || link->err) die("connect", link ? link->errstr : "no memory");
  return link;
}

static void redis_ask(redisContext *link) {
  const char *const commands[] = {"PING", "INFO"};
  for (int i = 0; i < 2; ++i) redisAppendCommand(link, commands[i]);
  for (int i = 0; i < 2; ++i) {
    redisReply *reply = NULL;
    if (redisGetReply(link, (void **)&reply) != REDIS_OK) die(commands[i], link->errstr);
    freeReplyObject(reply);
  }
}

static void converse(const char *kind, const struct place *at) {
  static MYSQL *my;
  static PGconn *pg;
  static redisContext *re;
  const int keep = strstr(kind, "-kept") != NULL;
  if (strncmp(kind, "mysql", 5) == 0) {
    if (!my) my = mysql_open(at);
    mysql_ask(my);
    if (!keep) mysql_close(my), my = NULL;
  } else if (strncmp(kind, "postgres", 8) == 0) {
    if (!pg) pg = postgres_open(at);
    postgres_ask(pg);
    if (!keep) PQfinish(pg), pg = NULL;
  } else {
    if (!re) re = redis_open(at);
    redis_ask(re);
    if (!keep) redisFree(re), re = NULL;
  }
}

static double cpu_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int count_of_words, char **word) {
  if (count_of_words != 7) die("usage", "bench_bare_database KIND WHERE USER PASSWORD COUNT RATE");
  struct place at = {.where = word[2], .user = word[3], .password = word[4], .port = "5432"};
  snprintf(at.folder, sizeof at.folder, "%s", word[2]);
  char *const colon = strrchr(at.folder, ':');
  if (colon) {
    *colon = '\0';
    at.port = colon + 1;
  }
  const long count = strtol(word[5], NULL, 10);
  const double rate = strtod(word[6], NULL);
  converse(word[1], &at); /* what is set up once is not counted */

  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  const double began = cpu_us();
  for (long i = 0; i < count; ++i) {
    if (rate > 0) {
      next.tv_nsec += (long)(1e9 / rate);
      while (next.tv_nsec >= 1000000000L) next.tv_nsec -= 1000000000L, next.tv_sec += 1;
      while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR) {
      }
    }
    converse(word[1], &at);
  }
  printf("{\"cpu_us\": %.2f, \"count\": %ld}\n", (cpu_us() - began) / (double)count, count);
  return 0;
}
