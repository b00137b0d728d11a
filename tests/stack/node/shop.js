// An application that measures itself with prom-client, as many do: `node shop.js` prints the port of its /metrics and ends with its input.
const http = require('http');
const client = require('prom-client');

client.collectDefaultMetrics();
const histogram = (name, labelNames, buckets) => new client.Histogram({ name, help: name, labelNames, buckets });
const requests = histogram('http_request_duration_seconds', ['method', 'route', 'status_code'], [0.05, 0.1, 0.2, 0.5, 1]);
const queries = histogram('db_query_duration_seconds', ['query_type'], [0.005, 0.01, 0.05, 0.1, 0.5]);
const searches = histogram('elasticsearch_query_duration_seconds', [], [0.02, 0.1, 0.2, 1]);
const jobs = histogram('job_duration_seconds', ['queue', 'status'], [1, 5, 30]);
const looks = new client.Summary({ name: 'cache_get_seconds', help: 'a summary', percentiles: [0.5, 0.95, 0.99] });
const lookups = new client.Counter({ name: 'cache_requests_total', help: 'looks', labelNames: ['result'] });
const used = new client.Gauge({ name: 'db_pool_used', help: 'in use' });
const most = new client.Gauge({ name: 'db_pool_max', help: 'limit' });
const limit = new client.Gauge({ name: 'nodejs_heap_size_limit_bytes', help: 'limit of the heap' });
limit.set(require('v8').getHeapStatistics().heap_size_limit);
most.set(10);

// Half a hundred of everything a tenth of a second: GET is quick, POST is slow, one job of ten fails.
function work() {
  for (let n = 0; n < 50; n += 1) {
    requests.observe({ method: 'GET', route: `/items/${n % 5}`, status_code: 200 }, 0.02);
    requests.observe({ method: 'POST', route: '/orders', status_code: n % 10 === 0 ? 500 : 201 }, 0.9);
    queries.observe({ query_type: 'simple' }, 0.004);
    queries.observe({ query_type: 'complex' }, 0.3);
    searches.observe(0.05);
    jobs.observe({ queue: 'mails', status: n % 10 === 0 ? 'failed' : 'completed' }, 2);
    looks.observe(0.0005);
    lookups.inc({ result: n % 4 === 0 ? 'miss' : 'hit' });
  }
  used.set(9);
}

work();
setInterval(work, 100);
const server = http.createServer(async (_, answer) => {
  answer.setHeader('Content-Type', client.register.contentType);
  answer.end(await client.register.metrics());
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
