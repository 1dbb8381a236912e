/* Holds many WebSockets open in one process and notes when each of them is told something.

   client PORT[,PORT...] PATH ORIGIN COUNT FILE

   Line i of FILE (repeated when it has fewer than COUNT) is "cookies TAB message": what socket i brings along and
   what it says first; either may be empty. When all are open it prints

       open SECONDS

   A frame that contains "bench-NANOSECONDS" is a delivery; the number is the CLOCK_MONOTONIC at which it was
   triggered, and tells the messages apart. Commands come on standard input, one in a line:

       expect N   forget what was measured, and print "ready". From now on "all FIRST LAST" (nanoseconds) is printed
                  when N sockets have one message: how long after the trigger the first and the last of them had
                  it. Never if N is 0.
       report     print one line of JSON: deliveries, the frames that brought them, when the last one came
                  (CLOCK_MONOTONIC), their latencies in seconds, how busy this process was between the first and
                  the last delivery of a message, bytes of frames for each delivery, sockets lost.
       order      print one line of JSON: the numbers of the messages that the first socket had, as they came, and
                  how many sockets (itself included) had the same in the same order.

   The end of the input ends it. */

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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 32 /* connections under way at once: less than any server's backlog */
#define PORTS 16
#define REMEMBERED 32
#define MARK "bench-"
#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* the sample of RFC 6455, 1.3, and its answer */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

struct list {
    int64_t *items;
    size_t length, room;
};

struct line { /* one socket */
    int fd, open;
    char *text; /* received and not understood yet */
    size_t length, room;
    struct list heard; /* the messages it had, as they came */
    size_t before;     /* so many of them before we were to measure */
};

static struct line *lines;
static int count, started, opened, lost, ports[PORTS], port_count, events;
static const char *path, *origin;
static char **cookies, **messages;
static int says;

static int64_t began;                              /* the first connection */
static int expected, have;                         /* of the current message */
static int64_t current, first, last, cpu_at_first; /* its trigger, deliveries, and our CPU then */
static int64_t spread_wall, spread_cpu;            /* summed between first and last */
static struct list latencies; /* of the deliveries */
static int64_t newest, bytes; /* when the last delivery came; of frames */
static size_t frames;

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void append(struct list *list, int64_t item) {
    if (list->length == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        if (!(list->items = realloc(list->items, list->room * sizeof item))) fail("realloc");
    }
    list->items[list->length++] = item;
}

static void watch(struct line *line, int operation, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.ptr = line};
    if (epoll_ctl(events, operation, line->fd, &event)) fail("epoll_ctl");
}

/* Connecting */

static void start(struct line *line) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(ports[(line - lines) % port_count])};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    line->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (line->fd < 0) fail("socket");
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(line->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
    watch(line, EPOLL_CTL_ADD, EPOLLOUT);
}

static void put(struct line *line, const char *text, size_t length) {
    if (send(line->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

static void ask(struct line *line) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if ((errno = error)) fail("connect");
    const char *cookie = cookies[(line - lines) % says];
    char request[4096];
    int length = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n%s%s%s\r\n",
        path, ports[(line - lines) % port_count], origin, *cookie ? "Cookie: " : "", cookie, *cookie ? "\r\n" : "");
    put(line, request, length);
    watch(line, EPOLL_CTL_MOD, EPOLLIN);
}

/* A client's frame must be masked; the mask of zeros leaves the text as it is. */
static void say(struct line *line, int opcode, const char *text, size_t length) {
    char frame[16 + 65536];
    size_t at = 0;
    if (length > 65535) length = 65535;
    frame[at++] = 0x80 | opcode;
    if (length < 126) {
        frame[at++] = 0x80 | length;
    } else {
        frame[at++] = 0x80 | 126;
        frame[at++] = length >> 8;
        frame[at++] = length & 255;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, length);
    put(line, frame, at + 4 + length);
}

static void greeted(struct line *line) {
    line->open = 1;
    const char *message = messages[(line - lines) % says];
    if (*message) say(line, 1, message, strlen(message));
    if (++opened == count) printf("open %.6f\n", (now(CLOCK_MONOTONIC) - began) / 1e9);
    if (started < count) start(&lines[started++]);
}

/* Listening */

static void delivered(struct line *line, int64_t triggered) {
    size_t had = line->heard.length;
    for (size_t i = had; i > 0 && had - i < REMEMBERED; i--)
        if (line->heard.items[i - 1] == triggered) return; /* once more: a text may be told twice */
    append(&line->heard, triggered);
    int64_t time = newest = now(CLOCK_MONOTONIC);
    append(&latencies, time - triggered);
    if (triggered < current) return; /* an older message */
    if (triggered > current) {
        current = triggered;
        first = time;
        have = 0;
        cpu_at_first = now(CLOCK_PROCESS_CPUTIME_ID);
    }
    last = time;
    if (++have == expected) {
        spread_wall += last - first;
        spread_cpu += now(CLOCK_PROCESS_CPUTIME_ID) - cpu_at_first;
        printf("all %lld %lld\n", (long long)(first - triggered), (long long)(last - triggered));
    }
}

static void search(struct line *line, const char *text, size_t length) {
    const char *end = text + length, *found = text;
    size_t before = latencies.length;
    while ((found = memmem(found, end - found, MARK, strlen(MARK)))) {
        int64_t number = 0;
        for (found += strlen(MARK); found < end && *found >= '0' && *found <= '9'; found++)
            number = 10 * number + (*found - '0');
        if (number) delivered(line, number);
    }
    if (latencies.length > before) {
        frames++;
        bytes += length;
    }
}

static void end(struct line *line) {
    close(line->fd);
    line->open = 0;
    lost++;
}

/* Understand what has come, and keep the rest. Returns whether the socket is still open. */
static int understand(struct line *line) {
    size_t at = 0;
    if (!line->open) {
        char *blank = memmem(line->text, line->length, "\r\n\r\n", 4);
        if (!blank) return 1;
        at = blank + 4 - line->text;
        if (strncmp(line->text, "HTTP/1.1 101", 12) || !memmem(line->text, at, ACCEPT, strlen(ACCEPT))) {
            fprintf(stderr, "refused: %.*s\n", (int)at, line->text);
            exit(1);
        }
        greeted(line);
    }
    while (line->length - at >= 2) {
        unsigned char *head = (unsigned char *)line->text + at;
        size_t skip = 2, length = head[1] & 127;
        if (length == 126) skip = 4;
        if (length == 127) skip = 10;
        if (line->length - at < skip) break;
        if (skip > 2) {
            length = 0;
            for (size_t i = 2; i < skip; i++) length = length << 8 | head[i];
        }
        if (line->length - at < skip + length) break;
        char *text = (char *)head + skip;
        if ((head[0] & 15) == 1) search(line, text, length);
        if ((head[0] & 15) == 9) say(line, 10, text, length);
        if ((head[0] & 15) == 8) {
            end(line);
            return 0;
        }
        at += skip + length;
    }
    memmove(line->text, line->text + at, line->length -= at);
    return 1;
}

static void hear(struct line *line) {
    if (line->room - line->length < 4096) {
        line->room = line->room ? 2 * line->room : 8192;
        if (!(line->text = realloc(line->text, line->room))) fail("realloc");
    }
    ssize_t got = recv(line->fd, line->text + line->length, line->room - line->length, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        if (!line->open) fail("the server hung up during the handshake");
        end(line);
        return;
    }
    line->length += got;
    understand(line);
}

/* Commands */

static int earlier(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

static double percentile(double share) {
    return latencies.length ? latencies.items[(size_t)((latencies.length - 1) * share)] / 1e9 : 0;
}

static int same(struct line *one, struct line *other) {
    size_t length = one->heard.length - one->before;
    if (length != other->heard.length - other->before) return 0;
    for (size_t i = 0; i < length; i++)
        if (one->heard.items[one->before + i] != other->heard.items[other->before + i]) return 0;
    return 1;
}

static void obey(char *command) {
    if (sscanf(command, "expect %d", &expected) == 1) {
        latencies.length = frames = 0;
        for (int i = 0; i < count; i++) lines[i].before = lines[i].heard.length;
        bytes = current = have = spread_wall = spread_cpu = 0;
        puts("ready");
    } else if (!strncmp(command, "report", 6)) {
        size_t deliveries = latencies.length;
        if (deliveries) qsort(latencies.items, deliveries, sizeof *latencies.items, earlier);
        printf("{\"deliveries\": %zu, \"frames\": %zu, \"newest\": %.6f, \"p50\": %.6f, \"p95\": %.6f, "
               "\"p99\": %.6f, \"busy\": %.3f, \"bytes\": %.0f, \"lost\": %d}\n",
            deliveries, frames, newest / 1e9, percentile(.50), percentile(.95), percentile(.99),
            spread_wall ? (double)spread_cpu / spread_wall : 0, deliveries ? (double)bytes / deliveries : 0, lost);
    } else if (!strncmp(command, "order", 5)) {
        int alike = 0;
        for (int i = 0; i < count; i++) alike += same(&lines[0], &lines[i]);
        printf("{\"alike\": %d, \"order\": [", alike);
        for (size_t i = lines[0].before; i < lines[0].heard.length; i++)
            printf("%s%lld", i > lines[0].before ? ", " : "", (long long)lines[0].heard.items[i]);
        puts("]}");
    }
}

static void listen_to_commands(void) {
    static char text[4096];
    static size_t length;
    ssize_t got = read(0, text + length, sizeof text - 1 - length);
    if (got <= 0) exit(0);
    text[length += got] = 0;
    char *begin = text, *newline;
    while ((newline = strchr(begin, '\n'))) {
        *newline = 0;
        obey(begin);
        begin = newline + 1;
    }
    memmove(text, begin, length -= begin - text);
}

static void read_file(const char *name) {
    FILE *file = fopen(name, "r");
    if (!file) fail(name);
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&text, &room, file)) > 0) {
        if (text[length - 1] == '\n') text[length - 1] = 0;
        char *tab = strchr(text, '\t');
        if (!tab) continue;
        *tab = 0;
        cookies = realloc(cookies, (says + 1) * sizeof *cookies);
        messages = realloc(messages, (says + 1) * sizeof *messages);
        cookies[says] = strdup(text);
        messages[says++] = strdup(tab + 1);
    }
    fclose(file);
    if (!says) fail("nothing to say");
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    for (char *port = strtok(argv[1], ","); port && port_count < PORTS; port = strtok(NULL, ","))
        ports[port_count++] = atoi(port);
    path = argv[2];
    origin = argv[3];
    count = atoi(argv[4]);
    read_file(argv[5]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    lines = calloc(count, sizeof *lines);
    events = epoll_create1(0);
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(events, EPOLL_CTL_ADD, 0, &input);
    began = now(CLOCK_MONOTONIC);
    while (started < count && started < WINDOW) start(&lines[started++]);
    for (;;) {
        struct epoll_event ready[256];
        int n = epoll_wait(events, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            struct line *line = ready[i].data.ptr;
            if (!line) listen_to_commands();
            else if (ready[i].events & EPOLLOUT) ask(line);
            else hear(line);
        }
    }
}
