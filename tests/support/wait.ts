import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the condition holds, looking every 50 ms.
 * @throws when it does not within the time (milliseconds); the message names what was waited for
 */
export async function waitUntil(
  what: string,
  timeout: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms in vain until ${what}`);
    await sleep(50);
  }
}
