import type { Schemas } from '../../openapi/schemas';
import { authorizeCatalogue } from '../catalogue';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { param } from '../reading';
import { actOnUpgrade, showUpgrade, startUpgrade } from './upgrades';
import { GROUP } from './view';

export type UpgradeIds = 'showUpgrade' | 'startUpgrade' | 'actOnUpgrade';

/** Rolling upgrades: whoever may change a group may have its engines replaced. */
export function upgradeRoutes(deps: ResourceDeps): Handlers<UpgradeIds> {
  return {
    showUpgrade: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'get_one');
        return { status: 200, body: { upgrade: await showUpgrade(deps.db, param(request, GROUP.keyParam)) } };
      },
    },
    startUpgrade: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'put');
        const { upgrade: body } = request.body as { upgrade: Schemas['UpgradeStart'] };
        const asked = { groupId: param(request, GROUP.keyParam), body };
        return { status: 202, body: { upgrade: await startUpgrade(deps.commands, callerOf(request), asked) } };
      },
    },
    actOnUpgrade: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'put');
        const { upgrade: body } = request.body as { upgrade: Schemas['UpgradeAction'] };
        const asked = { groupId: param(request, GROUP.keyParam), body };
        return { status: 202, body: { upgrade: await actOnUpgrade(deps.commands, callerOf(request), asked) } };
      },
    },
  };
}
