import type { Order, ReadModel } from '../../driver/db/read/model';
import { BadRequestError } from '../../driver/domain/errors';
import { RouterFaultError } from '../faults';

/**
 * The order a query asks for: `sort=key[:dir],...`, or else `sort_key` and `sort_dir`. What makes it total (creation
 * time and key, ascending) is appended.
 * @throws BadRequestError for an unknown key, RouterFaultError for an unknown direction
 */
export function parseOrder(model: ReadModel, query: URLSearchParams): Order[] {
  const asked = query.has('sort') ? fromSort(query.get('sort') ?? '') : fromKeys(query);
  const tail = ['created_at', model.key ?? 'id'].filter((name) => Object.hasOwn(model.attributes, name));
  const names = new Set<string>();
  const order: Order[] = [];
  for (const [name, direction] of [...asked, ...tail.map((key) => [key, 'asc'] as const)]) {
    if (direction !== 'asc' && direction !== 'desc') throw invalidDirection(direction);
    const attribute = Object.hasOwn(model.attributes, name) ? model.attributes[name] : undefined;
    if (!attribute) throw new BadRequestError(`Supplied sort key '${name}' is not valid.`);
    if (names.has(name)) continue;
    names.add(name);
    order.push({ column: attribute.column, descending: direction === 'desc' });
  }
  return order;
}

type SortKey = readonly [name: string, direction: string];

function fromSort(sort: string): SortKey[] {
  return splitList(sort).map((part) => {
    const [name = '', direction = 'asc', ...rest] = part.split(':');
    if (rest.length > 0) throw invalidDirection([direction, ...rest].join(':'));
    return [name.trim(), direction.trim().toLowerCase()];
  });
}

function fromKeys(query: URLSearchParams): SortKey[] {
  const directions = query.getAll('sort_dir').flatMap(splitList);
  const keys = query.getAll('sort_key').flatMap(splitList);
  return keys.map((key, index) => [key.trim(), (directions[index] ?? 'asc').trim().toLowerCase()]);
}

function splitList(text: string): string[] {
  return text.split(',').filter((part) => part.trim() !== '');
}

function invalidDirection(direction: string): RouterFaultError {
  return new RouterFaultError(400, 'Bad Request', `Supplied sort direction '${direction}' is not valid.`);
}
