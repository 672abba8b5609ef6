import type { Read } from '../facts';

/** Milliseconds that anybody has for an answer. */
export const PATIENCE = 5_000;

/** Reads within a time; what fails is told and not thrown. */
export async function attempt<T>(at: string, work: () => Promise<T>, patience = PATIENCE): Promise<Read<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
  });
  try {
    return { at, value: await Promise.race([work(), late]) };
  } catch (error) {
    return { at, problem: describe(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrapped says more than what it is wrapped in. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  const inner = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : '';
  return inner !== '' && !message.includes(inner) ? `${message} (${inner})` : message || error.name;
}
