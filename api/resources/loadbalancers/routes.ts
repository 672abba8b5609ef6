import { readStatistics } from '../../../driver/db/read/statistics';
import { readStatusTree } from '../../../driver/db/read/statusTree';
import { NotFoundError, ValidationError } from '../../../driver/domain/errors';
import type { Handler } from '../../exchange';
import { isTrue } from '../../listing/filters';
import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { authorizeObject, listHandler, param, showHandler } from '../reading';
import { createLoadBalancer, deleteLoadBalancer, failoverLoadBalancer, updateLoadBalancer } from './commands';
import { showFullLoadBalancer } from './fullView';
import { statusTreeView } from './statusTree';
import { LOAD_BALANCER, showLoadBalancer } from './view';

type Ids =
  | 'listLoadBalancers'
  | 'createLoadBalancer'
  | 'showLoadBalancer'
  | 'updateLoadBalancer'
  | 'deleteLoadBalancer'
  | 'showLoadBalancerStatus'
  | 'showLoadBalancerStatuses'
  | 'showLoadBalancerStats'
  | 'failoverLoadBalancer';

export function loadBalancerRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listLoadBalancers: listHandler(deps, LOAD_BALANCER),
    showLoadBalancer: showHandler(deps, LOAD_BALANCER),
    createLoadBalancer: createHandler(deps),
    updateLoadBalancer: updateHandler(deps),
    deleteLoadBalancer: deleteHandler(deps),
    showLoadBalancerStatus: statusHandler(deps),
    showLoadBalancerStatuses: statusHandler(deps),
    showLoadBalancerStats: statsHandler(deps),
    failoverLoadBalancer: {
      handle: async (request) => {
        const id = await authorizeObject(deps, LOAD_BALANCER, { request, action: 'put_failover' });
        await failoverLoadBalancer(deps.commands, callerOf(request), { id });
        return { status: 202 };
      },
    },
  };
}

const NO_PROJECT =
  'Missing project ID in request where one is required. An administrator should check the keystone settings in the Octavia configuration.';

function createHandler({ policy, commands }: ResourceDeps): Handler {
  return {
    handle: async (request) => {
      const { loadbalancer: body } = request.body as { loadbalancer: Schemas['LoadBalancerCreate'] };
      const { identity } = request;
      const projectId = body.project_id || body.tenant_id || identity.projectId;
      if (!projectId) throw new ValidationError(NO_PROJECT);
      authorize(policy, identity, 'loadbalancer:post', { projectId });
      if (body.vip_sg_ids) authorize(policy, identity, 'loadbalancer:post:vip_sg_ids', { projectId });
      const input = { body: { ...body, project_id: projectId } };
      const view = await createLoadBalancer(commands, callerOf(request), input, showFullLoadBalancer);
      return { status: 201, body: { loadbalancer: view } };
    },
  };
}

function updateHandler(deps: ResourceDeps): Handler {
  return {
    handle: async (request) => {
      const { loadbalancer: body } = request.body as { loadbalancer: Schemas['LoadBalancerUpdate'] };
      const id = await authorizeObject(deps, LOAD_BALANCER, { request, action: 'put' });
      if (body.vip_sg_ids !== undefined) {
        await authorizeObject(deps, LOAD_BALANCER, { request, action: 'put:vip_sg_ids' });
      }
      const view = await updateLoadBalancer(deps.commands, callerOf(request), { id, body }, showLoadBalancer);
      return { status: 200, body: { loadbalancer: view } };
    },
  };
}

function deleteHandler(deps: ResourceDeps): Handler {
  return {
    queryArguments: ['cascade'],
    handle: async (request) => {
      const id = await authorizeObject(deps, LOAD_BALANCER, { request, action: 'delete' });
      const cascade = isTrue(request.query.get('cascade') ?? 'false');
      await deleteLoadBalancer(deps.commands, callerOf(request), { id, cascade });
      return { status: 204 };
    },
  };
}

function statusHandler({ db, policy }: ResourceDeps): Handler {
  return {
    handle: async (request) => {
      const id = param(request, LOAD_BALANCER.idParam);
      const row = await readStatusTree(db, id);
      if (!row) throw new NotFoundError(LOAD_BALANCER.title, id);
      authorize(policy, request.identity, 'loadbalancer:get_status', { projectId: row.project_id });
      return { status: 200, body: { statuses: statusTreeView(row) } };
    },
  };
}

function statsHandler(deps: ResourceDeps): Handler {
  return {
    handle: async (request) => {
      const id = await authorizeObject(deps, LOAD_BALANCER, { request, action: 'get_stats' });
      return { status: 200, body: { stats: await readStatistics(deps.db, 'load_balancer_id', id) } };
    },
  };
}
