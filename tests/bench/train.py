# Uses stacktop for some minutes, as people do, so that what runs is known before the binary for others is built:
# python3 train.py BINARY FOLDER. Shown are the demo, whichever servers the environment names (`tests/run serve` prints it), and twenty
# queues where there is a redis-server. What a build that counts writes is put into FOLDER: `first-KIND-…` of what runs while nobody touches
# a key and only systems of that kind are shown (`first-all-…`: of all kinds), `keys-…` of the rest.
import fcntl, os, pty, select, shutil, signal, struct, subprocess, sys, tempfile, termios, time
import queues

binary, folder = (os.path.abspath(path) for path in sys.argv[1:3])
home = tempfile.mkdtemp()
environment = {'TERM': 'xterm-256color', 'LANG': 'C.UTF-8', 'HOME': home, 'USER': 'trainer'}
# Each page, a row of it, its menu (left again), help, a filter, and the sizes that people have.
PAGES = '1234567890'
KEYS = ['\r', 'j', 'j', '\r', '\x1b', 'x', '\x1b', '\x1b', 'k', '?', '\x1b', '/', 'a', '\r', '\x1b', '+', '-']


def show(arguments, quiet, keys, size, kind='all'):
    """Runs it on a terminal of that size, `quiet` seconds left alone, then with keys; ended as a shell ends it."""
    pid, master = pty.fork()
    if pid == 0:
        counts = 'keys' if keys else f'first-{kind}'
        os.execve(binary, [binary, *arguments], environment | {'LLVM_PROFILE_FILE': f'{folder}/{counts}-%m.profraw'})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', *size, 0, 0))

    def read(seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    os.read(master, 1 << 16)
                except OSError:
                    return

    read(quiet)
    for key in keys:
        os.write(master, key.encode())
        read(0.4)
    read(2)
    os.kill(pid, signal.SIGTERM)
    read(5)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    # As its manual says of a signal.
    if os.waitstatus_to_exitcode(status) != 128 + signal.SIGTERM:
        sys.exit(f'{arguments}: ended with {os.waitstatus_to_exitcode(status)}')


def walk(pages=PAGES):
    return [key for page in pages for key in [page, *KEYS]]


show(['demo'], 15, walk(), (24, 80))
show(['demo'], 15, [], (50, 160))
entries = {}
for kind, name in [('postgres', 'PG'), ('redis', 'REDIS'), ('search', 'ES'), ('prometheus', 'PROMETHEUS'), ('metrics', 'METRICS'),
                   ('alertmanager', 'ALERTMANAGER')]:
    url = os.environ.get(f'STACKTOP_TEST_{name}_URL')
    if url:
        entries[kind] = f'[[{kind}]]\nurl = "{url}"\ninterval = "1s"\n'
    else:
        print(f'  (no {kind}: not in the environment)', file=sys.stderr)
if entries:
    config = os.path.join(home, 'all.toml')
    with open(config, 'w') as file:
        file.write('\n'.join(entries.values()))
    show(['--config', config], 30, walk(), (50, 160))
    show(['--config', config], 5, ['1'], (24, 80))
    counted = environment | {'LLVM_PROFILE_FILE': f'{folder}/keys-%m.profraw'}
    subprocess.run([binary, 'check', '--config', config], env=counted, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
for kind, entry in entries.items():
    config = os.path.join(home, f'{kind}.toml')
    with open(config, 'w') as file:
        file.write(entry)
    show(['--config', config], 30, [], (50, 160), kind)
if os.environ.get('STACKTOP_TEST_REDIS_SERVER') or shutil.which('redis-server'):
    with queues.filled(20) as (redis, idents, config):
        show(['--config', config], 30, [], (50, 160), 'redis')
        with queues.busy(redis, idents, 0.2):
            show(['--config', config], 30, [], (50, 160), 'redis')
        show(['--config', config], 5, walk('14'), (50, 160))
else:
    print('  (no twenty queues: no redis-server)', file=sys.stderr)
