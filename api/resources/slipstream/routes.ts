import type { Caller, CommandDeps } from '../../changes/deps';
import type { Handler } from '../../exchange';
import { selectFields } from '../../listing/fields';
import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import { authorizeCatalogue, listCatalogue, readCatalogue, showCatalogue } from '../catalogue';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { param } from '../reading';
import { type CaptureIds, captureRoutes } from './captureRoutes';
import { changeFlavor } from './changeFlavor';
import { changeGroup, createGroup, removeGroup, removeServiceEngine } from './commands';
import { explainPlacement } from './placementPlan';
import { migrate, scaleIn, scaleOut, switchOver } from './scaling';
import { traceRoutes } from './trace';
import { type UpgradeIds, upgradeRoutes } from './upgradeRoutes';
import { type VerbIds, verbRoutes } from './verbRoutes';
import { ENGINE, EVENT, GROUP, PLACEMENT } from './view';

type Ids =
  | `${'list' | 'show'}${'Placement' | 'Event' | 'ServiceEngine' | 'ServiceEngineGroup'}`
  | 'createServiceEngineGroup'
  | 'updateServiceEngineGroup'
  | 'deleteServiceEngineGroup'
  | 'deleteServiceEngine'
  | 'showPlacementPlan';
type ScaleIds =
  | 'scaleLoadBalancerOut'
  | 'scaleLoadBalancerIn'
  | 'migrateLoadBalancer'
  | 'switchLoadBalancerOver'
  | 'changeLoadBalancerFlavor';
type Plural<Id extends string> = Id extends `list${string}` ? `${Id}s` : Id;

/** The operator API. */
export function slipstreamRoutes(
  deps: ResourceDeps,
): Handlers<Plural<Ids> | UpgradeIds | ScaleIds | VerbIds | CaptureIds | 'traceLoadBalancer'> {
  return {
    listServiceEngineGroups: listCatalogue(deps, GROUP),
    showServiceEngineGroup: showCatalogue(deps, GROUP),
    ...groupWrites(deps),
    ...upgradeRoutes(deps),
    listServiceEngines: listCatalogue(deps, ENGINE),
    showServiceEngine: showCatalogue(deps, ENGINE),
    deleteServiceEngine: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, ENGINE, 'delete');
        await removeServiceEngine(deps.commands, callerOf(request), param(request, ENGINE.keyParam));
        return { status: 204 };
      },
    },
    listPlacements: listCatalogue(deps, PLACEMENT),
    showPlacement: showCatalogue(deps, PLACEMENT),
    showPlacementPlan: {
      handle: async (request) => {
        authorize(deps.policy, request.identity, 'slipstream:placement-plan:get_one', { projectId: null });
        const plan = await explainPlacement(deps.commands, param(request, 'loadbalancer_id'));
        return { status: 200, body: { placement_plan: selectFields(plan, request.query) } };
      },
    },
    ...scaling(deps),
    ...verbRoutes(deps),
    ...captureRoutes(deps),
    ...traceRoutes(deps),
    listEvents: listCatalogue(deps, EVENT),
    showEvent: showCatalogue(deps, EVENT),
  };
}

function groupWrites(
  deps: ResourceDeps,
): Handlers<'createServiceEngineGroup' | 'updateServiceEngineGroup' | 'deleteServiceEngineGroup'> {
  const answer = async (id: string) => ({ [GROUP.root]: await readCatalogue(deps, GROUP, id) });
  return {
    createServiceEngineGroup: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'post');
        const { service_engine_group: body } = request.body as {
          service_engine_group: Schemas['ServiceEngineGroupCreate'];
        };
        return { status: 201, body: await answer(await createGroup(deps.commands, callerOf(request), body)) };
      },
    },
    updateServiceEngineGroup: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'put');
        const id = param(request, GROUP.keyParam);
        const { service_engine_group: body } = request.body as {
          service_engine_group: Schemas['ServiceEngineGroupUpdate'];
        };
        await changeGroup(deps.commands, callerOf(request), { id, body });
        return { status: 200, body: await answer(id) };
      },
    },
    deleteServiceEngineGroup: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'delete');
        await removeGroup(deps.commands, callerOf(request), param(request, GROUP.keyParam));
        return { status: 204 };
      },
    },
  };
}

function scaling(deps: ResourceDeps): Handlers<ScaleIds> {
  const accept = <Body>(
    action: 'scaleout' | 'scalein' | 'migrate' | 'switchover' | 'flavor',
    command: (commands: CommandDeps, caller: Caller, asked: { id: string; body: Body }) => Promise<unknown>,
  ): Handler => ({
    handle: async (request) => {
      authorize(deps.policy, request.identity, `slipstream:loadbalancer:${action}`, { projectId: null });
      const body = (request.body as Record<string, Body> | undefined)?.[action] as Body;
      const asked = { id: param(request, 'loadbalancer_id'), body };
      return { status: 202, body: { placement_plan: await command(deps.commands, callerOf(request), asked) } };
    },
  });
  return {
    scaleLoadBalancerOut: accept('scaleout', scaleOut),
    scaleLoadBalancerIn: accept('scalein', scaleIn),
    migrateLoadBalancer: accept('migrate', migrate),
    switchLoadBalancerOver: accept('switchover', switchOver),
    changeLoadBalancerFlavor: accept('flavor', changeFlavor),
  };
}
