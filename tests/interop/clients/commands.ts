import { type ChildProcessByStdio, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Site } from '../../support/site';
import { waitUntil } from '../../support/wait';

type Row = Record<string, unknown>;

/** The unmodified `openstack` command of one installation, as one user of a site. */
export interface Commands {
  /** Runs `openstack <line>`; words are split at blanks. @throws when it fails */
  ok(line: string): Promise<string>;
  /** As `ok`, and reads what it prints as JSON: one object. */
  show(line: string): Promise<Row>;
  /** As `ok`, and reads what it prints as JSON: the rows of a list. */
  list(line: string): Promise<Row[]>;
  /** Runs a command that must fail; gives what it says, less the id of the request. @throws when it succeeds */
  refused(line: string): Promise<string>;
  /** Runs a `show` again and again until its provisioning status is ACTIVE; gives the object. */
  active(line: string): Promise<Row>;
  /** Runs a `show` again and again until it is not refused; gives the object. */
  once(line: string): Promise<Row>;
  /** Runs a `list` again and again until it has that many rows. */
  untilListed(line: string, count: number): Promise<Row[]>;
}

/** One installation of the client, kept loaded so that a command costs what its requests cost. */
export interface Client {
  /** Every load-balancer command it has, as its users type it. */
  readonly known: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** The commands that have spoken with the site so far. */
  readonly ran: ReadonlySet<string>;
  /** The commands as that user of the site's clouds.yaml. */
  as(user: 'admin' | 'member' | 'reader'): Commands;
  close(): Promise<void>;
}

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SHELL = path.join(__dirname, 'shell.py');
const CLOUDS = { admin: 'slipstream', member: 'slipstream-member', reader: 'slipstream-reader' } as const;
const COMMAND_TIMEOUT_S = 60;
const SETTLE_TIMEOUT = 20_000;

/** Loads the client that this interpreter has installed, and points it at the site. */
export async function openClient(python: string, site: Site): Promise<Client> {
  const shell = startShell(python, site);
  const { commands: known, versions } = (await shell.receive()) as Pick<Client, 'versions'> & { commands: string[] };
  const ran = new Set<string>();
  const run = async (cloud: string, line: string, format: readonly string[]): Promise<Result> => {
    const result = (await shell.ask({
      argv: ['--os-cloud', cloud, ...line.split(' '), ...format],
      timeout: COMMAND_TIMEOUT_S,
    })) as Result;
    if (result.code === 0 || result.stderr.includes('(HTTP ')) ran.add(commandOf(line, known));
    return result;
  };
  return {
    known,
    versions,
    ran,
    as: (user) => commandsOf((line, ...format) => run(CLOUDS[user], line, format)),
    close: () => shell.close(),
  };
}

function commandsOf(run: (line: string, ...format: string[]) => Promise<Result>): Commands {
  const ok = async (line: string, ...format: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(line, ...format);
    if (code !== 0) throw new Error(`openstack ${line}: ${code}\n${stderr}`);
    return stdout;
  };
  const show = async (line: string): Promise<Row> => JSON.parse(await ok(line, '-f', 'json'));
  const list = async (line: string): Promise<Row[]> => JSON.parse(await ok(line, '-f', 'json'));
  return {
    ok: (line) => ok(line),
    show,
    list,
    async refused(line) {
      const { code, stderr, stdout } = await run(line);
      if (code === 0) throw new Error(`openstack ${line} was not refused:\n${stdout}`);
      return stderr.replace(/ \(Request-ID: req-[0-9a-f-]{36}\)/, '').trim();
    },
    async active(line) {
      let row: Row = {};
      await waitUntil(`${line} is ACTIVE`, SETTLE_TIMEOUT, async () => {
        row = await show(line);
        if (row['provisioning_status'] === 'ERROR') throw new Error(`${line}: ${JSON.stringify(row)}`);
        return row['provisioning_status'] === 'ACTIVE';
      });
      return row;
    },
    async once(line) {
      let result: Result = { code: 1, stdout: '', stderr: '' };
      await waitUntil(`${line} succeeds`, SETTLE_TIMEOUT, async () => {
        result = await run(line, '-f', 'json');
        return result.code === 0;
      });
      return JSON.parse(result.stdout);
    },
    async untilListed(line, count) {
      let rows: Row[] = [];
      await waitUntil(`${line} has ${count} rows`, SETTLE_TIMEOUT, async () => {
        rows = await list(line);
        return rows.length === count;
      });
      return rows;
    },
  };
}

/** The longest of the known commands that the line begins with. */
function commandOf(line: string, known: readonly string[]): string {
  const candidates = known.filter((command) => line === command || line.startsWith(`${command} `));
  const command = candidates.sort((a, b) => b.length - a.length)[0];
  if (command === undefined) throw new Error(`not a load-balancer command: ${line}`);
  return command;
}

interface Shell {
  receive(): Promise<unknown>;
  /** One request at a time; others wait for their turn. */
  ask(request: object): Promise<unknown>;
  close(): Promise<void>;
}

function startShell(python: string, site: Site): Shell {
  const { OS_CLOUD: _cloud, ...env } = process.env;
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(python, [SHELL], {
    env: { ...env, OS_CLIENT_CONFIG_FILE: site.cloudsFile },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const receive = async (): Promise<unknown> => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`${python} ${SHELL} has ended`);
    return JSON.parse(value);
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    receive,
    ask(request) {
      const asked = turn.then(() => {
        child.stdin.write(`${JSON.stringify(request)}\n`);
        return receive();
      });
      turn = asked.catch(() => undefined);
      return asked;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The ids in a column of ids: older clients print them as lines, newer ones as the API answers them. */
export function idsOf(value: unknown): string[] {
  if (Array.isArray(value))
    return value.map((item: string | { id: string }) => (typeof item === 'string' ? item : item.id));
  return typeof value === 'string' && value !== '' ? value.split('\n') : [];
}

/** A column of text lists, such as tags, as both generations of the client print it. */
export const wordsOf = idsOf;
