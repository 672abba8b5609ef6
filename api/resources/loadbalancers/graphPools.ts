import { NotFoundError, ValidationError } from '../../../driver/domain/errors';
import type { LoadBalancerCreate, PoolGraph } from '../../changes/bodies';

/**
 * The pools of a fully populated create. A pool may stand at the top, as a listener's default or as a policy's target;
 * one that has only a name, anywhere but at the top, refers to a pool defined elsewhere in the document.
 */
export interface GraphPools {
  /** Every definition, in the order of the document, the top first. */
  readonly definitions: readonly { readonly id: string; readonly body: PoolGraph }[];
  /** @throws ValidationError for a name nobody defines */
  idOf(pool: PoolGraph): string;
}

/** @throws ServiceError */
export function collectPools(body: LoadBalancerCreate, newId: () => string): GraphPools {
  const nested = (body.listeners ?? []).flatMap((listener) => {
    if (listener.default_pool_id) throw new NotFoundError('Pool', listener.default_pool_id);
    return [listener.default_pool, ...(listener.l7policies ?? []).map((policy) => policy.redirect_pool)];
  });
  const inline = nested.filter((pool): pool is PoolGraph => Boolean(pool) && !isReference(pool));
  const definitions = [...(body.pools ?? []), ...inline].map((pool) => ({ id: newId(), body: pool }));
  for (const { body: pool } of definitions) checkDefinition(pool);
  const named = definitions.filter(({ body: pool }) => pool.name);
  const byName = new Map(named.map(({ id, body: pool }) => [pool.name ?? '', id]));
  if (byName.size < named.length) {
    throw new ValidationError('Pool names must be unique when creating a fully populated loadbalancer.');
  }
  const byBody = new Map(definitions.map(({ id, body: pool }) => [pool, id]));
  return {
    definitions,
    idOf: (pool) => {
      const id = byBody.get(pool) ?? byName.get(pool.name ?? '');
      if (id) return id;
      throw new ValidationError(`Pool '${pool.name ?? ''}' was referenced but no full definition was found.`);
    },
  };
}

function isReference(pool: PoolGraph | null | undefined): boolean {
  const given = Object.entries(pool ?? {}).filter(([, value]) => value !== undefined);
  return given.length === 1 && given[0]?.[0] === 'name';
}

function checkDefinition(pool: PoolGraph): void {
  for (const attribute of ['protocol', 'lb_algorithm'] as const) {
    if (pool[attribute]) continue;
    throw new ValidationError(`Pool definition for '${pool.name ?? ''}' missing required attribute: ${attribute}`);
  }
}
