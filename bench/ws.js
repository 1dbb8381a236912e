// Node's ws, as its README broadcasts: node ws.js PORT. The body of a POST is told to every socket.
const http = require("http");
const { createRequire } = require("module");
const WebSocket = createRequire(process.cwd() + "/")("ws");

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const text = Buffer.concat(parts);
    for (const client of sockets.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text, { binary: false });
    }
    response.end();
  });
});
const sockets = new WebSocket.WebSocketServer({ server, perMessageDeflate: false });
server.listen(Number(process.argv[2]), "127.0.0.1");
