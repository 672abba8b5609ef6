import type { Schemas } from '../../openapi/schemas';
import { authorizeChild } from '../creating';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listHandler, showHandler } from '../reading';
import { createHealthMonitor, deleteHealthMonitor, updateHealthMonitor } from './commands';
import { HEALTH_MONITOR, showHealthMonitor } from './view';

type Ids =
  | 'listHealthMonitors'
  | 'createHealthMonitor'
  | 'showHealthMonitor'
  | 'updateHealthMonitor'
  | 'deleteHealthMonitor';

export function healthMonitorRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listHealthMonitors: listHandler(deps, HEALTH_MONITOR),
    showHealthMonitor: showHandler(deps, HEALTH_MONITOR),
    createHealthMonitor: {
      handle: async (request) => {
        const { healthmonitor: body } = request.body as { healthmonitor: Schemas['HealthMonitorCreate'] };
        await authorizeChild(deps, request.identity, 'healthmonitor:post', { poolId: body.pool_id });
        const view = await createHealthMonitor(deps.commands, callerOf(request), { body }, showHealthMonitor);
        return { status: 201, body: { healthmonitor: view } };
      },
    },
    updateHealthMonitor: {
      handle: async (request) => {
        const { healthmonitor: body } = request.body as { healthmonitor: Schemas['HealthMonitorUpdate'] };
        const id = await authorizeObject(deps, HEALTH_MONITOR, { request, action: 'put' });
        const view = await updateHealthMonitor(deps.commands, callerOf(request), { id, body }, showHealthMonitor);
        return { status: 200, body: { healthmonitor: view } };
      },
    },
    deleteHealthMonitor: {
      handle: async (request) => {
        const id = await authorizeObject(deps, HEALTH_MONITOR, { request, action: 'delete' });
        await deleteHealthMonitor(deps.commands, callerOf(request), { id });
        return { status: 204 };
      },
    },
  };
}
