# Twenty queues of one Redis: python3 queues.py BINARY [SECONDS [QUEUES [JOBS A SECOND]]]
# Starts a redis-server of its own in a folder of its own, fills it with queues as BullMQ 5 keeps them (jobs that wait, are delayed, completed,
# failed with a stack, and an event stream that is full), and prints what stacktop costs on its overview at the default interval, by
# `measure.py load`: twice, while nothing happens, and while so many jobs a second go through each queue. Then what Redis was asked for.
import contextlib, json, os, shutil, signal, socket, subprocess, sys, tempfile, threading, time

KEPT = {'completed': 1000, 'failed': 40, 'wait': 20, 'delayed': 10}
EVENTS = 2000
STACK = json.dumps(['Error: connect ECONNREFUSED 10.0.0.7:5432\n' + '    at send (/srv/app/mail.js:41:11)\n' * 12])


class Redis:
    """The server, and one connection to it."""

    def __init__(self, folder):
        program = os.environ.get('STACKTOP_TEST_REDIS_SERVER') or shutil.which('redis-server') or sys.exit('no redis-server')
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [program, '--port', str(self.port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no',
             '--maxmemory-policy', 'noeviction'], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            try:
                self.wire = socket.create_connection(('127.0.0.1', self.port))
                break
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    sys.exit('the redis-server did not start')
                time.sleep(0.1)
        self.answers = self.wire.makefile('rb')

    def ask(self, *commands):
        """Sends them all, then reads what comes back."""
        packed = b''
        for command in commands:
            parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
            packed += b'*%d\r\n' % len(parts) + b''.join(b'$%d\r\n%s\r\n' % (len(part), part) for part in parts)
        self.wire.sendall(packed)
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.answers.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b'-':
            sys.exit(f'the redis-server says {rest.decode()}')
        if kind == b'$':
            return None if rest == b'-1' else self.answers.read(int(rest) + 2)[:-2]
        if kind == b'*':
            return [self.answer() for _ in range(int(rest))]
        return rest

    def counted(self):
        """Commands so far, and their time in microseconds."""
        text = self.ask(['INFO', 'commandstats'])[0].decode()
        rows = [dict(field.split('=') for field in line.split(':', 1)[1].split(',')) for line in text.splitlines() if line.startswith('cmdstat_')]
        return sum(int(row['calls']) for row in rows), sum(int(row['usec']) for row in rows)


def key(queue, suffix):
    return f'bull:work-{queue:02}:{suffix}'


def job(queue, ident, now, **more):
    fields = {'name': 'send', 'data': json.dumps({'order': ident, 'to': 'ann@example.org', 'text': 'x' * 300}),
              'opts': json.dumps({'attempts': 3}), 'timestamp': now - 60_000, 'delay': 0, 'priority': 0} | more
    return ['HSET', key(queue, ident)] + [part for pair in fields.items() for part in pair]


def fill(redis, queue, now):
    ident, commands = 0, [['HSET', key(queue, 'meta'), 'opts.maxLenEvents', 10000, 'version', 'bullmq:5.81.3']]
    for state, count in KEPT.items():
        for n in range(count):
            ident += 1
            at = now - 1000 * (n + 400)
            if state == 'wait':
                commands += [job(queue, ident, now), ['LPUSH', key(queue, 'wait'), ident]]
            elif state == 'delayed':
                commands += [job(queue, ident, now, delay=7_200_000), ['ZADD', key(queue, state), (now + 7_200_000 + n) * 4096, ident]]
            else:
                ended = {'processedOn': at - 50, 'finishedOn': at, 'atm': 3, 'ats': 3}
                if state == 'failed':
                    ended |= {'failedReason': 'connect ECONNREFUSED 10.0.0.7:5432', 'stacktrace': STACK}
                commands += [job(queue, ident, now, **ended), ['ZADD', key(queue, state), at, ident]]
    for n in range(EVENTS):
        event = ('waiting', 'active', 'completed')[n % 3]
        # Of an hour ago: what happens now is not among them.
        commands.append(['XADD', key(queue, 'events'), f'{now - 3_600_000 + n}-0', 'event', event, 'jobId', n, 'prev', 'wait'])
    commands.append(['SET', key(queue, 'id'), ident])
    redis.ask(*commands)
    return ident


def work(port, idents, rate, stop):
    """Jobs that are added and done, as a producer and a worker write it; `rate` of them a second in each queue."""
    redis = Redis.__new__(Redis)
    redis.wire = socket.create_connection(('127.0.0.1', port))
    redis.answers = redis.wire.makefile('rb')
    queue = 0
    while not stop.wait(1 / (rate * len(idents))):
        queue = (queue + 1) % len(idents)
        idents[queue] += 1
        ident, now = idents[queue], int(time.time() * 1000)
        events = [['XADD', key(queue, 'events'), 'MAXLEN', '~', 10000, '*', 'event', event, 'jobId', ident, 'prev', 'active']
                  for event in ('added', 'waiting', 'active', 'completed')]
        redis.ask(['INCR', key(queue, 'id')], job(queue, ident, now, processedOn=now, finishedOn=now + 1), ['ZADD', key(queue, 'completed'), now, ident],
                  *events)


@contextlib.contextmanager
def filled(queues):
    """A server with so many queues while the block runs: the server, the last id of each queue, and the path of a configuration."""
    folder = tempfile.mkdtemp()
    redis = Redis(folder)
    try:
        now = int(time.time() * 1000)
        idents = [fill(redis, queue, now) for queue in range(queues)]
        config = os.path.join(folder, 'queues.toml')
        with open(config, 'w') as file:
            file.write(f'[[redis]]\nurl = "redis://127.0.0.1:{redis.port}"\n')
        yield redis, idents, config
    finally:
        redis.process.send_signal(signal.SIGTERM)
        redis.process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def busy(redis, idents, rate):
    """Jobs that go through all queues while the block runs."""
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(redis.port, idents, rate, stop), daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def main(binary, seconds='60', queues='20', rate='0.2'):
    queues, rate = int(queues), float(rate)
    measure = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'measure.py')
    with filled(queues) as (redis, idents, config):
        load = [sys.executable, measure, 'load', os.path.abspath(binary), config, seconds]
        print(f'{queues} queues, still:', flush=True)
        before, began = redis.counted(), time.monotonic()
        subprocess.run(load, check=True)
        after, passed = redis.counted(), time.monotonic() - began
        print(f'  Redis: {(after[0] - before[0]) / passed:.0f} commands/s, {(after[1] - before[1]) / passed / 1000:.2f} ms of its time a second')
        print(f'{queues} queues, {rate:g} jobs a second each:', flush=True)
        with busy(redis, idents, rate):
            subprocess.run(load, check=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
