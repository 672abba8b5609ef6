import type { Request } from 'express';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/**
 * One page of a list under its key, with the total and links to its neighbours, as Barbican answers. What cannot be read
 * of `limit` and `offset` counts as not given.
 */
export function answerPage<T>(req: Request, { key, base }: { key: string; base: string }, items: readonly T[]) {
  const offset = readNumber(req.query['offset'], 0);
  const limit = Math.min(readNumber(req.query['limit'], DEFAULT_LIMIT), MAX_LIMIT);
  const link = (at: number) => `${base}/${key}?limit=${limit}&offset=${at}`;
  return {
    [key]: items.slice(offset, offset + limit),
    total: items.length,
    ...(offset > 0 && limit > 0 ? { previous: link(Math.max(0, offset - limit)) } : {}),
    ...(offset + limit < items.length && limit > 0 ? { next: link(offset + limit) } : {}),
  };
}

function readNumber(value: unknown, fallback: number): number {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : fallback;
}
