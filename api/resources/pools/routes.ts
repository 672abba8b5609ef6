import type { Schemas } from '../../openapi/schemas';
import { authorizeChild } from '../creating';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listHandler, showHandler } from '../reading';
import { createPool, deletePool, updatePool } from './commands';
import { POOL, showPool } from './view';

type Ids = 'listPools' | 'createPool' | 'showPool' | 'updatePool' | 'deletePool';

export function poolRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listPools: listHandler(deps, POOL),
    showPool: showHandler(deps, POOL),
    createPool: {
      handle: async (request) => {
        const { pool: body } = request.body as { pool: Schemas['PoolCreate'] };
        const parents = { loadBalancerId: body.loadbalancer_id, listenerId: body.listener_id };
        await authorizeChild(deps, request.identity, 'pool:post', parents);
        const view = await createPool(deps.commands, callerOf(request), { body }, showPool);
        return { status: 201, body: { pool: view } };
      },
    },
    updatePool: {
      handle: async (request) => {
        const { pool: body } = request.body as { pool: Schemas['PoolUpdate'] };
        const id = await authorizeObject(deps, POOL, { request, action: 'put' });
        const view = await updatePool(deps.commands, callerOf(request), { id, body }, showPool);
        return { status: 200, body: { pool: view } };
      },
    },
    deletePool: {
      handle: async (request) => {
        const id = await authorizeObject(deps, POOL, { request, action: 'delete' });
        await deletePool(deps.commands, callerOf(request), { id });
        return { status: 204 };
      },
    },
  };
}
