import { readStatistics } from '../../../driver/db/read/statistics';
import type { Handler } from '../../exchange';
import type { Schemas } from '../../openapi/schemas';
import { authorizeChild } from '../creating';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listHandler, showHandler } from '../reading';
import { createListener, deleteListener, updateListener } from './commands';
import { LISTENER, showListener } from './view';

type Ids =
  | 'listListeners'
  | 'createListener'
  | 'showListener'
  | 'updateListener'
  | 'deleteListener'
  | 'showListenerStats';

export function listenerRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listListeners: listHandler(deps, LISTENER),
    showListener: showHandler(deps, LISTENER),
    showListenerStats: statsHandler(deps),
    createListener: {
      handle: async (request) => {
        const { listener: body } = request.body as { listener: Schemas['ListenerCreate'] };
        await authorizeChild(deps, request.identity, 'listener:post', { loadBalancerId: body.loadbalancer_id });
        const view = await createListener(deps.commands, callerOf(request), { body }, showListener);
        return { status: 201, body: { listener: view } };
      },
    },
    updateListener: {
      handle: async (request) => {
        const { listener: body } = request.body as { listener: Schemas['ListenerUpdate'] };
        const id = await authorizeObject(deps, LISTENER, { request, action: 'put' });
        const view = await updateListener(deps.commands, callerOf(request), { id, body }, showListener);
        return { status: 200, body: { listener: view } };
      },
    },
    deleteListener: {
      handle: async (request) => {
        const id = await authorizeObject(deps, LISTENER, { request, action: 'delete' });
        await deleteListener(deps.commands, callerOf(request), { id });
        return { status: 204 };
      },
    },
  };
}

function statsHandler(deps: ResourceDeps): Handler {
  return {
    handle: async (request) => {
      const id = await authorizeObject(deps, LISTENER, { request, action: 'get_stats' });
      return { status: 200, body: { stats: await readStatistics(deps.db, 'listener_id', id) } };
    },
  };
}
