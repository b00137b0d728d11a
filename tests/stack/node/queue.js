// Real producers and workers for tests: node queue.js GENERATION PORT VERB QUEUE [ARGUMENT]
//   fail QUEUE N        adds N jobs (with OPTIONS, JSON), runs them all into an error, prints their ids, ends
//   work QUEUE          takes jobs and completes them, printing "done ID NAME DATA" each, until it is killed
//   add QUEUE N         adds N jobs that nobody takes
//   brief QUEUE N       the same, and none is kept when it is done
//   doom QUEUE N        adds N jobs of which none is kept, and runs them all into an error; with METRICS its worker keeps some
//   delay QUEUE N       adds N jobs for an hour later
//   rank QUEUE LIST     adds a job of each of these priorities (comma-separated), nobody takes them
//   failrank QUEUE LIST the same, and runs them all into an error
//   letters QUEUE LIST  adds dead letters of a queue: "ORIGINAL=ID,…" with envelopes, "-" for the bare payload; with OPTIONS (JSON),
//                       those from number OWN on by ids of their own
//   work QUEUE BAD      the same, but fails each job whose order is at least BAD; with TAKES each job takes so many milliseconds;
//                       with WAITS a worker that nobody wakes looks again after so many seconds
//   tire QUEUE          adds a job of three attempts (or takes what waits), fails all of them, prints how often it ran
//   counts QUEUE        prints how many jobs the library itself finds in each state, as JSON
//   schedule QUEUE      makes a scheduler (or repeatable job) `nightly`; schedulers QUEUE prints how many the library finds
//   limit QUEUE         prints the concurrency for all workers together that the library finds
//   flow QUEUE          adds a parent with two children in QUEUE-parts, prints their ids, the parent's first
//   log QUEUE ID        writes two lines into the log of a job
//   pause|resume QUEUE  as the library does it
const [generation, port, verb, queueName, argument] = process.argv.slice(2);
const cluster = process.env.STACKTOP_CLUSTER;
const nodes = () =>
  new (require('ioredis').Cluster)([{ host: '127.0.0.1', port: Number(port) }], { enableReadyCheck: false, redisOptions: { maxRetriesPerRequest: null, enableReadyCheck: false } });
const connection = cluster
  ? nodes()
  : { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const more = cluster ? { prefix: process.env.STACKTOP_PREFIX || '{bull}' } : {};
const waits = Number(process.env.WAITS);
if (waits) Object.assign(more, { drainDelay: waits, settings: { drainDelay: waits } });
const library = require(generation);
const given = JSON.parse(process.env.OPTIONS || '{}');
const bull = generation.startsWith('bull4');

function producer() {
  // Bull asks for clients of its own.
  return bull ? new library(queueName, cluster ? { createClient: nodes, ...more } : { redis: connection, ...more }) : new library.Queue(queueName, { connection, ...more });
}

function worker(work) {
  if (bull) {
    const queue = producer();
    queue.process('mail', work);
    return queue;
  }
  return new library.Worker(queueName, work, { connection, ...more });
}

async function add(count, options = () => ({})) {
  const queue = producer();
  const ids = [];
  for (let n = 0; n < count; n += 1) {
    const job = await queue.add('mail', { order: n }, { attempts: 1, ...options(n) });
    ids.push(String(job.id));
  }
  await queue.close();
  return ids;
}

function byPriority(list) {
  const ranks = list.split(',').map(Number);
  return add(ranks.length, (n) => ({ priority: ranks[n] }));
}

async function main() {
  if (verb === 'doom') {
    const metrics = { metrics: { maxDataPoints: 60 } };
    let failed = 0;
    const work = async () => {
      throw new Error('the provider said no');
    };
    let running;
    if (bull) {
      running = new library(queueName, { redis: connection, ...(process.env.METRICS ? metrics : {}) });
      running.process('mail', work);
    } else {
      running = new library.Worker(queueName, work, { connection, ...more });
    }
    const ended = new Promise((resolve) => {
      running.on('failed', () => {
        failed += 1;
        if (failed === Number(argument)) resolve();
      });
    });
    await add(Number(argument), () => ({ removeOnFail: true, removeOnComplete: true }));
    await ended;
    await running.close();
    console.log(failed);
    process.exit(0);
  } else if (verb === 'fail' || verb === 'failrank') {
    const ids = verb === 'fail' ? await add(Number(argument), () => given) : await byPriority(argument);
    let failed = 0;
    const running = worker(async () => {
      throw new Error('the provider said no');
    });
    await new Promise((resolve) => {
      running.on('failed', () => {
        failed += 1;
        if (failed === ids.length) resolve();
      });
    });
    await running.close();
    console.log(ids.join(' '));
    process.exit(0);
  } else if (verb === 'work') {
    const running = worker(async (job) => {
      if (process.env.TAKES) await new Promise((resolve) => setTimeout(resolve, Number(process.env.TAKES)));
      if (argument && job.data.order >= Number(argument)) throw new Error('still broken');
      console.log(`done ${job.id} ${job.name} ${JSON.stringify(job.data)}`);
    });
    if (!bull) await running.waitUntilReady();
    else await running.isReady();
    console.log('ready');
  } else if (verb === 'add') {
    console.log((await add(Number(argument))).join(' '));
    process.exit(0);
  } else if (verb === 'brief') {
    console.log((await add(Number(argument), () => ({ removeOnComplete: true }))).join(' '));
    process.exit(0);
  } else if (verb === 'delay') {
    console.log((await add(Number(argument), () => ({ delay: 3600000 }))).join(' '));
    process.exit(0);
  } else if (verb === 'rank') {
    console.log((await byPriority(argument)).join(' '));
    process.exit(0);
  } else if (verb === 'tire') {
    const queue = producer();
    if (argument) await queue.add('mail', { order: 0 }, { attempts: 3, jobId: argument });
    let runs = 0;
    const running = worker(async () => {
      runs += 1;
      throw new Error('the provider said no');
    });
    await new Promise((resolve) => {
      running.on('failed', async () => {
        const counts = await queue.getJobCounts();
        if (counts.failed > 0) resolve();
      });
    });
    console.log(runs);
    process.exit(0);
  } else if (verb === 'letters') {
    const queue = producer();
    const ids = [];
    for (const [n, one] of argument.split(',').entries()) {
      const [source, id] = one.split('=');
      const data = { order: n };
      const letter = one === '-' ? data : { originalQueue: source, originalJobId: id || undefined, originalData: data, failedReason: 'no' };
      const job = await queue.add('dlq-mail', letter, { attempts: 1, ...given, ...(process.env.OWN && n >= Number(process.env.OWN) ? { jobId: `order-${n}` } : {}) });
      ids.push(String(job.id));
    }
    await queue.close();
    console.log(ids.join(' '));
    process.exit(0);
  } else if (verb === 'counts') {
    const queue = producer();
    console.log(JSON.stringify(await queue.getJobCounts()));
    await queue.close();
    process.exit(0);
  } else if (verb === 'schedule') {
    const queue = producer();
    if (queue.upsertJobScheduler) await queue.upsertJobScheduler('nightly', { every: 3600000 }, { name: 'mail', data: { order: 1 } });
    else await queue.add('mail', { order: 1 }, { repeat: { every: 3600000 } });
    await queue.close();
    console.log('scheduled');
    process.exit(0);
  } else if (verb === 'rhythms') {
    const queue = producer();
    await queue.upsertJobScheduler('theirs', { pattern: argument, tz: 'UTC' }, { name: 'mail', data: { order: 1 } });
    console.log(JSON.stringify(await queue.getJobSchedulers()));
    await queue.close();
    process.exit(0);
  } else if (verb === 'schedulers') {
    const queue = producer();
    const list = queue.getJobSchedulers ? await queue.getJobSchedulers() : await queue.getRepeatableJobs();
    console.log(list.length);
    process.exit(0);
  } else if (verb === 'limit') {
    console.log(await producer().getGlobalConcurrency());
    process.exit(0);
  } else if (verb === 'flow') {
    const flow = new library.FlowProducer({ connection });
    const child = (n) => ({ name: 'mail', queueName: `${queueName}-parts`, data: { order: n }, opts: { attempts: 1 } });
    const tree = await flow.add({ name: 'mail', queueName, data: { order: 9 }, children: [child(1), child(2)] });
    await flow.close();
    console.log([tree.job.id, ...tree.children.map((one) => one.job.id)].join(' '));
    process.exit(0);
  } else if (verb === 'log') {
    const job = await producer().getJob(argument);
    await job.log('the first line');
    await job.log('the second line');
    console.log('logged');
    process.exit(0);
  } else if (verb === 'pause' || verb === 'resume') {
    const queue = producer();
    await queue[verb]();
    await queue.close();
    console.log(verb);
    process.exit(0);
  } else {
    console.error(`unknown verb ${verb}`);
    process.exit(2);
  }
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
