# A cluster of 20 000 shards: python3 shards.py BINARY [SECONDS [SHARDS]]
# Fakes an Elasticsearch with so many shards (half of them copies) on forty nodes, with the shapes of 8.19, runs stacktop on it at its default
# interval on a pseudo terminal, and prints what that costs: CPU and memory of stacktop, requests and bytes by path. Three times: all is well;
# one node left and took its copies along; every copy is on no node. Then the look at the indices, open.
import asyncio, fcntl, json, multiprocessing, os, pty, re, select, signal, struct, sys, tempfile, termios, time

NODES = 40


def answers(shards, away):
    """What each path answers: `away` copies are on no node."""
    indices = [f'logs-{n % 97:02}-2026.{n // 97:04}' for n in range(shards // 2)]
    disk = {'path': '/data', 'total_in_bytes': 10**12, 'free_in_bytes': 6 * 10**11, 'available_in_bytes': 6 * 10**11}
    nodes = {}
    for n in range(NODES - (1 if away else 0)):
        nodes[f'node{n:02}abcdefghijklmnopq'] = {
            'name': f'es-{n:02}', 'roles': ['data', 'master', 'ingest'],
            'jvm': {'uptime_in_millis': int(time.monotonic() * 1000), 'mem': {'heap_used_percent': 50},
                    'gc': {'collectors': {'old': {'collection_time_in_millis': 10}}}},
            'os': {'cpu': {'percent': 20, 'load_average': {'1m': 1.0, '5m': 1.0, '15m': 1.0}}},
            'fs': {'total': disk, 'data': [disk]},
            'thread_pool': {pool: {'threads': 8, 'queue': 0, 'active': 1, 'rejected': 0, 'largest': 8, 'completed': 10**6}
                            for pool in ('search', 'write')},
            'breakers': {name: {'tripped': 0} for name in ('parent', 'request', 'fielddata', 'inflight_requests')},
            'indices': {'search': {'query_total': 10**6, 'query_time_in_millis': 10**6, 'fetch_total': 1},
                        'indexing': {'index_total': 10**6, 'index_time_in_millis': 10**6}}}
    lost = [{'state': 'UNASSIGNED', 'primary': False, 'node': None, 'relocating_node': None, 'shard': 0, 'index': index,
             'recovery_source': {'type': 'PEER'},
             'unassigned_info': {'reason': 'NODE_LEFT', 'at': '2026-11-28T20:00:00.000Z', 'delayed': False,
                                 'details': 'node_left [node39abcdefghijklmnopq]', 'allocation_status': 'no_attempt'}}
            for index in indices[:away]]
    # What `filter_path` leaves of it where the fields are named.
    named = [{'primary': row['primary'], 'shard': 0, 'index': row['index'],
              'unassigned_info': {key: row['unassigned_info'][key] for key in ('reason', 'details')}} for row in lost]
    explained = {'index': 'x', 'can_allocate': 'no', 'allocate_explanation': 'cannot allocate',
                 'node_allocation_decisions': [{'node_name': f'es-{n:02}', 'deciders': [
                     {'decider': 'same_shard', 'decision': 'NO', 'explanation': 'a copy of this shard is already allocated to this node'}]}
                     for n in range(NODES)]}
    rows = [{'health': 'green', 'status': 'open', 'index': index, 'uuid': f'uuid{n:016}', 'pri': '1', 'rep': '1',
             'docs.count': '1000000', 'docs.deleted': '10', 'store.size': str(10**8 + n), 'creation.date': '1760000000000'}
            for n, index in enumerate(indices)]
    return {
        '/': {'name': 'es-00', 'cluster_name': 'large', 'version': {'number': '8.19.5'}, 'tagline': 'You Know, for Search'},
        '/_cluster/health': {'cluster_name': 'large', 'status': 'yellow' if away else 'green', 'timed_out': False,
                             'number_of_nodes': len(nodes), 'number_of_data_nodes': len(nodes), 'active_shards': shards - away,
                             'relocating_shards': 0, 'initializing_shards': 0, 'unassigned_shards': away,
                             'number_of_pending_tasks': 0, 'active_shards_percent_as_number': 100.0 * (shards - away) / shards},
        '/_nodes/stats/': {'nodes': nodes},
        '/_cluster/settings': {'persistent': {}, 'transient': {}, 'defaults': {'cluster.routing.allocation.enable': 'all'}},
        # The servers answer with nothing for an index that has no such setting.
        '/_all/_settings/': {},
        '/_all/_ilm/explain': {'indices': {index: {'policy': 'hot-warm-delete', 'step': 'check-rollover-ready'} for index in indices}},
        '/_cluster/state/routing_nodes': {'routing_nodes': {'unassigned': lost}} if lost else {},
        '/_cluster/state/routing_nodes?named': {'routing_nodes': {'unassigned': named}} if named else {},
        '/_cluster/allocation/explain': explained,
        '/_health_report': {'status': 'green', 'indicators': {'disk': {'status': 'green', 'symptom': 'fine'}}},
        '/_cat/indices': rows,
    }


def serve(shards, away, ready):
    known = [(path, json.dumps(body).encode()) for path, body in answers(shards, away).items()]
    known.sort(key=lambda entry: -len(entry[0]))
    # Paths with other names in them.
    marks = json.dumps({}).encode()
    counts = {}

    class Node(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport, self.seen = transport, b''

        def data_received(self, data):
            self.seen += data
            while b'\r\n\r\n' in self.seen:
                head, rest = self.seen.split(b'\r\n\r\n', 1)
                length = re.search(rb'content-length: *(\d+)', head, re.I)
                length = int(length[1]) if length else 0
                if len(rest) < length:
                    return
                self.seen = rest[length:]
                self.answer(head.split(b' ')[1].decode())

        def answer(self, path):
            if path == '/counts':
                body = json.dumps(counts).encode()
                counts.clear()
            else:
                short = path.split('?')[0]
                if 'routing_nodes.unassigned.index' in path:
                    short += '?named'
                name, body = next(((name, body) for name, body in known
                                   if short == name or (name != '/' and short.startswith(name))), ('other', marks))
                found = counts.setdefault(name, [0, 0])
                found[0] += 1
                found[1] += len(body)
            self.transport.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(body) + body)

    async def run():
        server = await asyncio.get_running_loop().create_server(Node, '127.0.0.1', 0)
        ready.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())


def counts(port):
    import urllib.request
    return json.load(urllib.request.urlopen(f'http://127.0.0.1:{port}/counts'))


class Run:
    def __init__(self, binary, port):
        state = tempfile.mkdtemp()
        config = os.path.join(state, 'stacktop.toml')
        with open(config, 'w') as file:
            file.write(f'[[search]]\nname = "large"\nurl = "http://127.0.0.1:{port}"\n')
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(binary, [binary, '--config', config],
                      {'TERM': 'xterm-256color', 'LANG': 'C.UTF-8', 'HOME': state, 'USER': 'bench'})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 160, 0, 0))

    def read(self, seconds):
        until, drawn = time.perf_counter() + seconds, 0
        while (left := until - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                drawn += len(os.read(self.master, 1 << 16))
        return drawn

    def cpu(self):
        fields = open(f'/proc/{self.pid}/stat').read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def resident(self):
        return int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{self.pid}/status').read())[1]) / 1024


def measure(binary, words, shards, away, seconds, keys=b''):
    ready, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(shards, away, theirs), daemon=True)
    server.start()
    port = ready.recv()
    run = Run(binary, port)
    run.read(3)
    os.write(run.master, b'7')
    run.read(3)
    for key in keys:
        os.write(run.master, bytes([key]))
        run.read(0.3)
    # What is asked once, and at first, is not what it costs to go on.
    run.read(4)
    counts(port)
    before = run.cpu()
    run.read(seconds)
    used, seen = run.cpu() - before, counts(port)
    polls = max(1, seen.get('/_cluster/health', [1, 0])[0])
    whole = sum(size for _, size in seen.values())
    print(f'{words}: {100 * used / seconds:.2f} % of a core ({1000 * used / polls:.0f} ms a poll), {run.resident():.0f} MiB, '
          f'{whole / polls / 1024:.0f} KiB a poll in {sum(count for count, _ in seen.values()) / polls:.1f} requests')
    for name, (count, size) in sorted(seen.items(), key=lambda entry: -entry[1][1]):
        print(f'    {name:<32} {count:>4} requests {size / 1024:>10.0f} KiB')
    os.kill(run.pid, signal.SIGTERM)
    os.waitpid(run.pid, 0)
    os.close(run.master)
    server.terminate()


if __name__ == '__main__':
    binary = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    shards = int(sys.argv[3]) if len(sys.argv) > 3 else 20_000
    print(f'{shards} shards on {NODES} nodes, over {seconds:.0f} s each:')
    measure(binary, 'all is well', shards, 0, seconds)
    measure(binary, 'a node left', shards, shards // NODES, seconds)
    measure(binary, 'every copy is on no node', shards, shards // 2, seconds)
