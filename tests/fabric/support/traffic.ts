import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

/** Requests and answers between machines of a fabric. */
export interface Answers {
  /** By the label of who has answered. */
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly at: number; readonly error: string }[];
  /** By the address the answerer saw. */
  readonly from: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  /** Those that took as long as it takes TCP to send again, or longer: milliseconds. */
  readonly slow: readonly { readonly at: number; readonly took: number }[];
  readonly cookie?: string | undefined;
}

export interface Question {
  readonly url: string;
  readonly requests?: number;
  readonly parallel?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** One connection a client instead of one a request. */
  readonly keepAlive?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly pause?: number;
}

const Result = z.object({
  answers: z.record(z.string(), z.number()),
  failures: z.array(z.object({ at: z.number(), error: z.string() })),
  from: z.record(z.string(), z.number()),
  statuses: z.record(z.string(), z.number()),
  slow: z.array(z.object({ at: z.number(), took: z.number() })),
  cookie: z.string().optional(),
});

export async function ask(machine: string, question: Question): Promise<Answers> {
  const { child, done } = startAsking(machine, question);
  child.stdin?.end();
  return done;
}

export interface Asking {
  /** Resolves once each client has had an answer, or a failure. */
  readonly begun: Promise<void>;
  /** Gives everything. */
  stop(): Promise<Answers>;
}

/** Asks until `stop`. */
export function keepAsking(machine: string, question: Question): Asking {
  const { child, done, begun } = startAsking(machine, { ...question, ...{ untilTold: true } });
  return {
    begun,
    stop() {
      child.stdin?.end();
      return done;
    },
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly begun: Promise<void>;
  readonly done: Promise<Answers>;
}

function startAsking(machine: string, question: Question): Started {
  const words = [`--net=/run/netns/${machine}`, process.execPath, join(__dirname, 'programs/ask.cjs')];
  const child = spawn('nsenter', [...words, JSON.stringify(question)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  const begun = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed.includes('\n')) resolve();
    });
  });
  // A line says that all clients have begun; the rest is the result.
  const done = once(child, 'close').then(() => Result.parse(JSON.parse(printed.slice(printed.indexOf('\n')))));
  // Whoever waits for it is told; of one that is left running nobody wants to know how it ended.
  done.catch(() => undefined);
  return { child, begun, done };
}

/** An HTTP server that answers with its label; ends with its machine. */
export async function startAnswering(machine: string, label: string, port: number, addresses: readonly string[]) {
  const words = [join(__dirname, 'programs/answer.cjs'), label, String(port), ...addresses];
  const child = spawn('nsenter', [`--net=/run/netns/${machine}`, process.execPath, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const died = once(child, 'exit').then(() => {
    throw new Error(`${label} cannot answer on ${addresses} port ${port}`);
  });
  await Promise.race([once(child.stdout, 'data'), died]);
  died.catch(() => undefined);
  return {
    stop: () => child.kill('SIGKILL'),
    /** Refuses connections, or answers again: at once. */
    toggle: () => child.kill('SIGUSR2'),
  };
}
