// An application that tells of its health, as people write it by hand: node health.js REDIS_PORT, prints the port that it listens on.
//   /api/health/{database,deep,queries,cache}   what it says of itself; 503 with a body when it is down
//   /mode/{fine,degraded,lost,down}             changes what it says; "lost" leaves the cache's hit rate and one check out
// The check `redis` of `deep` is real: it connects to that port.
const http = require('http');
const net = require('net');
const redis = Number(process.argv[2]);
let mode = 'fine';

const connects = () =>
  new Promise((resolve) => {
    const begun = process.hrtime.bigint();
    const socket = net.connect({ host: '127.0.0.1', port: redis });
    const took = () => Number(process.hrtime.bigint() - begun) / 1e6;
    socket.once('connect', () => (socket.destroy(), resolve({ status: 'healthy', latency: took() })));
    socket.once('error', (error) => resolve({ status: 'unhealthy', latency: took(), error: error.message || `connect ${error.code} 127.0.0.1:${redis}` }));
  });

const now = () => new Date().toISOString();
const pages = {
  database: async () => ({
    status: mode === 'down' ? 'unhealthy' : 'healthy',
    timestamp: now(),
    database: { connected: mode !== 'down', latency: 3, error: mode === 'down' ? 'too many clients' : undefined },
    pool: { total: 18, active: mode === 'degraded' ? 19 : 4, idle: 2, max: 20 },
  }),
  deep: async () => {
    const checks = { database: { status: 'healthy', latency: 3 }, redis: await connects(), search: 'ok' };
    if (mode === 'lost') delete checks.search;
    const worst = checks.redis.status === 'unhealthy' || mode === 'down' ? 'unhealthy' : mode === 'degraded' ? 'degraded' : 'healthy';
    return { status: worst, timestamp: now(), checks, circuitBreakers: { search: mode === 'degraded' ? 'OPEN' : 'CLOSED' } };
  },
  queries: async () => ({
    status: 'healthy',
    p50: 4,
    p95: mode === 'degraded' ? 812 : 40,
    p99: 900,
    slowQueries: [{ query: 'SELECT * FROM orders WHERE note LIKE $1', durationMs: 1240, calls: 3 }],
  }),
  cache: async () => (mode === 'lost' ? { status: 'healthy' } : { status: 'healthy', hitRate: mode === 'degraded' ? 0.31 : 0.93, hits: 930, misses: 70 }),
};

const server = http.createServer(async (request, response) => {
  const [, first, second, third] = request.url.split('/');
  if (first === 'mode') {
    mode = second;
    return response.end('ok');
  }
  const page = first === 'api' && second === 'health' && pages[third];
  if (!page) return response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}');
  const body = await page();
  const status = body.status === 'unhealthy' ? 503 : 200;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
