import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { enter } from '../process/enter';
import { type CheckTarget, checkMember } from './checks';

/**
 * Checks members of UDP pools from a network namespace; null is the agent's own, where it checks by itself. A process
 * cannot leave its namespace, so each of the others has a small one that takes questions and gives answers, line by line.
 */
export interface Checker {
  /** True if the check passed. Never rejects. */
  check(namespace: string | null, target: CheckTarget): Promise<boolean>;
  /** Ends all processes. */
  stop(): void;
}

interface Hand {
  readonly child: ChildProcess;
  readonly waiting: Map<number, (passed: boolean | null) => void>;
  idle: NodeJS.Timeout | null;
}

/** Milliseconds without a question after which a process is ended: no monitor waits as long between two checks. */
const LONGEST_IDLE = 10 * 60_000;

/** @param command starts `checkerMain` */
export function createChecker(
  command: readonly string[] = [process.execPath, join(__dirname, 'checkerMain.js')],
): Checker {
  const hands = new Map<string, Hand>();
  let last = 0;
  const handIn = (namespace: string): Hand => {
    const hand = hands.get(namespace) ?? openHand(namespace, command, () => hands.delete(namespace));
    hands.set(namespace, hand);
    if (hand.idle !== null) clearTimeout(hand.idle);
    hand.idle = setTimeout(() => hand.child.stdin?.end(), LONGEST_IDLE).unref();
    return hand;
  };
  const ask = (namespace: string, target: CheckTarget): Promise<boolean | null> =>
    new Promise((resolve) => {
      const { child, waiting } = handIn(namespace);
      last += 1;
      waiting.set(last, resolve);
      child.stdin?.write(`${JSON.stringify({ id: last, target })}\n`);
    });
  return {
    async check(namespace, target) {
      if (namespace === null) return checkMember(target);
      // One that has ended under a question says nothing of the member.
      return (await ask(namespace, target)) ?? (await ask(namespace, target)) ?? false;
    },
    stop() {
      for (const { child } of hands.values()) child.kill();
    },
  };
}

function openHand(namespace: string, [program = '', ...given]: readonly string[], onEnd: () => void): Hand {
  const { file, words } = enter(namespace, program, given);
  // Its input ends with the agent, and so does it.
  const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'ignore'] });
  const hand: Hand = { child, waiting: new Map(), idle: null };
  const end = () => {
    onEnd();
    if (hand.idle !== null) clearTimeout(hand.idle);
    for (const resolve of hand.waiting.values()) resolve(null);
    hand.waiting.clear();
  };
  child.once('error', end);
  child.once('exit', end);
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, passed }: { id: number; passed: boolean } = JSON.parse(line);
    hand.waiting.get(id)?.(passed);
    hand.waiting.delete(id);
  });
  return hand;
}
