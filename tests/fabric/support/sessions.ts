import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

/** Clients that ask again and again, each with a session of its own. */
export interface Sessions {
  /** Resolves once each has had its first answer, or a failure. */
  readonly begun: Promise<void>;
  /** Resolves once each has been answered by way of as many engines as were asked for. */
  readonly spread: Promise<void>;
  stop(): Promise<readonly Session[]>;
}

const Session = z.object({
  /** By member. */
  answers: z.record(z.string(), z.number()),
  /** By the address that members saw. */
  engines: z.record(z.string(), z.number()),
  failures: z.array(z.string()),
});
export type Session = z.infer<typeof Session>;

export interface SessionClient {
  /** An address of the machine. */
  readonly from?: string;
  readonly keepsCookies: boolean;
  /** Milliseconds after an answer with a new cookie; 0 by default. */
  readonly rest?: number;
}

/** @param spread engines that each client is to come to, before `spread` resolves */
export function openSessions(
  machine: string,
  url: string,
  clients: readonly SessionClient[],
  { spread = 1 }: { readonly spread?: number } = {},
): Sessions {
  const words = [`--net=/run/netns/${machine}`, process.execPath, join(__dirname, 'programs/sessions.cjs')];
  const child = spawn('nsenter', [...words, JSON.stringify({ url, clients, spread })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const told = (line: string) =>
    new Promise<void>((resolve) => {
      child.stdout.on('data', () => {
        if (printed.includes(`${line}\n`)) resolve();
      });
    });
  const done = once(child, 'close').then(() =>
    z.array(Session).parse(JSON.parse(printed.slice(printed.lastIndexOf('\n')))),
  );
  done.catch(() => undefined);
  return {
    begun: told('begun'),
    spread: told('spread'),
    stop() {
      child.stdin.end();
      return done;
    },
  };
}
