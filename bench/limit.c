/* The limit: what one process can do at most that only writes.

   limit PORT

   Any GET is taken for a WebSocket handshake by client.c and answered. The body of a POST is put into one frame,
   and that is written to every open socket. What a socket does not take at once is written when it can be; who
   posts waits until all have it, so there is only ever one frame. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 65536
#define TEXT 60000
#define ANSWER \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
#define DONE "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static int events, socket_count, sockets[SOCKETS], place[SOCKETS]; /* place: of an fd among the sockets, plus 1 */
static size_t sent[SOCKETS];                                       /* how much of the frame an fd has */
static char frame[TEXT + 4];
static size_t frame_length;

static void watch(int fd, int operation, unsigned interest) {
    struct epoll_event event = {.events = interest, .data.fd = fd};
    epoll_ctl(events, operation, fd, &event);
}

static void hang_up(int fd) {
    if (place[fd]) {
        int moved = sockets[--socket_count];
        sockets[place[fd] - 1] = moved;
        place[moved] = place[fd];
        place[fd] = 0;
    }
    close(fd);
}

static void write_rest(int fd, int was_late) {
    ssize_t took = send(fd, frame + sent[fd], frame_length - sent[fd], MSG_NOSIGNAL);
    if (took < 0 && errno != EAGAIN) return hang_up(fd);
    if (took > 0) sent[fd] += took;
    int late = sent[fd] < frame_length;
    if (late != was_late) watch(fd, EPOLL_CTL_MOD, late ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void publish(const char *text, size_t length) {
    frame[0] = (char)0x81;
    size_t head = length < 126 ? 2 : 4;
    frame[1] = length < 126 ? length : 126;
    if (head == 4) {
        frame[2] = length >> 8;
        frame[3] = length & 255;
    }
    memcpy(frame + head, text, length);
    frame_length = head + length;
    for (int i = socket_count; i--;) { /* backwards: one that hangs up is replaced by the last */
        sent[sockets[i]] = 0;
        write_rest(sockets[i], 0);
    }
}

static void hear(int fd) {
    static char text[TEXT + 4096];
    if (place[fd]) { /* a page says nothing that we would understand */
        ssize_t length = recv(fd, text, sizeof text, 0);
        if (!length || (length < 0 && errno != EAGAIN)) hang_up(fd);
        return;
    }
    ssize_t length = recv(fd, text, sizeof text - 1, MSG_PEEK); /* until the request is complete */
    if (length <= 0) return hang_up(fd);
    text[length] = 0;
    char *body = strstr(text, "\r\n\r\n");
    if (!body) return;
    body += 4;
    if (!strncmp(text, "POST", 4)) {
        char *said = strcasestr(text, "content-length:");
        size_t wanted = said ? strtoul(said + 15, NULL, 10) : 0;
        if (wanted > TEXT) return hang_up(fd);
        if ((size_t)(text + length - body) < wanted) return;
        recv(fd, text, length, 0);
        publish(body, wanted);
        send(fd, DONE, strlen(DONE), MSG_NOSIGNAL);
        return hang_up(fd);
    }
    recv(fd, text, body - text, 0);
    send(fd, ANSWER, strlen(ANSWER), MSG_NOSIGNAL);
    sockets[socket_count++] = fd;
    place[fd] = socket_count;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1, door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(door, (struct sockaddr *)&address, sizeof address) || listen(door, 4096)) {
        perror("limit");
        return 1;
    }
    events = epoll_create1(0);
    watch(door, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event ready[256];
        int n = epoll_wait(events, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd != door) {
                if (ready[i].events & EPOLLOUT) write_rest(fd, 1);
                if (ready[i].events & ~EPOLLOUT) hear(fd);
                continue;
            }
            while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (fd >= SOCKETS) {
                    close(fd);
                    continue;
                }
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                watch(fd, EPOLL_CTL_ADD, EPOLLIN);
            }
        }
    }
}
