import type { Schemas } from '../../openapi/schemas';
import { authorizeChild } from '../creating';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listHandler, showHandler } from '../reading';
import { createL7Policy, deleteL7Policy, updateL7Policy } from './commands';
import { L7_POLICY, showL7Policy } from './view';

type Ids = 'listL7Policies' | 'createL7Policy' | 'showL7Policy' | 'updateL7Policy' | 'deleteL7Policy';

export function l7PolicyRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listL7Policies: listHandler(deps, L7_POLICY),
    showL7Policy: showHandler(deps, L7_POLICY),
    createL7Policy: {
      handle: async (request) => {
        const { l7policy: body } = request.body as { l7policy: Schemas['L7PolicyCreate'] };
        await authorizeChild(deps, request.identity, 'l7policy:post', { listenerId: body.listener_id });
        const view = await createL7Policy(deps.commands, callerOf(request), { body }, showL7Policy);
        return { status: 201, body: { l7policy: view } };
      },
    },
    updateL7Policy: {
      handle: async (request) => {
        const { l7policy: body } = request.body as { l7policy: Schemas['L7PolicyUpdate'] };
        const id = await authorizeObject(deps, L7_POLICY, { request, action: 'put' });
        const view = await updateL7Policy(deps.commands, callerOf(request), { id, body }, showL7Policy);
        return { status: 200, body: { l7policy: view } };
      },
    },
    deleteL7Policy: {
      handle: async (request) => {
        const id = await authorizeObject(deps, L7_POLICY, { request, action: 'delete' });
        await deleteL7Policy(deps.commands, callerOf(request), { id });
        return { status: 204 };
      },
    },
  };
}
