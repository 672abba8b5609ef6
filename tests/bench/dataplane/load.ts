import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CONNECTIONS = 32;

/** Asks for something for a number of seconds; gives how often it was answered. Throws when it was not once. */
export type Load = (host: string, port: number, seconds: number) => Promise<number>;

/** wrk, over connections that are kept or with one for each request. */
export function wrk(scheme: 'http' | 'https', keepAlive: boolean): Load {
  return async (host, port, seconds) => {
    const headers = keepAlive ? [] : ['-H', 'Connection: close'];
    const url = `${scheme}://${host}:${port}/`;
    const { stdout } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...headers, url]);
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
    return Number(/(\d+) requests in/.exec(stdout)?.[1]);
  };
}

/** TLS 1.3 handshakes with one request each, by several clients of `openssl s_time`; `reuse` takes up an old session. */
export function handshakes(reuse: boolean): Load {
  return async (host, port, seconds) => {
    const mode = reuse ? '-reuse' : '-new';
    const args = ['s_time', '-connect', `${host}:${port}`, '-www', '/', '-tls1_3', mode, '-time', String(seconds)];
    const outputs = await Promise.all([1, 2, 3, 4].map(() => run('openssl', args)));
    const counts = outputs.map(({ stdout }) => Number(/(\d+) connections in \d+ real/.exec(stdout)?.[1] ?? 0));
    const count = counts.reduce((sum, one) => sum + one, 0);
    if (count === 0) throw new Error(outputs[0]?.stdout ?? 'no answer');
    return count;
  };
}
