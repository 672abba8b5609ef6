import { type AmphoraRead, amphorae } from '../../../driver/db/read/amphorae';
import { readEngineStatistics } from '../../../driver/db/read/engineStatistics';
import { readOne } from '../../../driver/db/read/model';
import { NotFoundError } from '../../../driver/domain/errors';
import type { ApiRequest, Handler } from '../../exchange';
import { selectFields } from '../../listing/fields';
import { listPage } from '../../listing/list';
import { authorize } from '../../policy/authorize';
import type { RuleName } from '../../policy/rules';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { param } from '../reading';
import { deleteAmphora, requestOfAmphora } from './commands';
import { amphoraStatisticsView, amphoraView } from './view';

type Ids =
  | 'listAmphorae'
  | 'showAmphora'
  | 'showAmphoraStats'
  | 'failoverAmphora'
  | 'configureAmphora'
  | 'deleteAmphora';

export function amphoraRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listAmphorae: {
      handle: async ({ identity, query, url }) => {
        authorize(deps.policy, identity, 'amphora:get_all', { projectId: null });
        const wanted = { model: amphorae, view: amphoraView, conditions: [], query, url };
        const page = await listPage<AmphoraRead, object>(deps.db, deps.lists, wanted);
        return { status: 200, body: { amphorae: page.items, amphorae_links: page.links } };
      },
    },
    showAmphora: {
      handle: async (request) => {
        const row = await findAmphora(deps, request, 'amphora:get_one');
        return { status: 200, body: { amphora: selectFields(amphoraView(row), request.query) } };
      },
    },
    showAmphoraStats: statsHandler(deps),
    failoverAmphora: {
      handle: async (request) => {
        const amphora = await findAmphora(deps, request, 'amphora:put_failover');
        await requestOfAmphora(deps.commands, callerOf(request), { amphora, request: 'failover' });
        return { status: 202 };
      },
    },
    configureAmphora: {
      handle: async (request) => {
        const amphora = await findAmphora(deps, request, 'amphora:put_config');
        await requestOfAmphora(deps.commands, callerOf(request), { amphora, request: 'configure' });
        return { status: 202 };
      },
    },
    deleteAmphora: {
      handle: async (request) => {
        const amphora = await findAmphora(deps, request, 'amphora:delete');
        await deleteAmphora(deps.commands, callerOf(request), amphora);
        return { status: 204 };
      },
    },
  };
}

/** @throws NotFoundError, PolicyForbiddenError */
async function findAmphora({ db, policy }: ResourceDeps, request: ApiRequest, rule: RuleName): Promise<AmphoraRead> {
  const id = param(request, 'amphora_id');
  const row = await readOne<AmphoraRead>(db, amphorae, id);
  if (!row) throw new NotFoundError('Amphora', id);
  authorize(policy, request.identity, rule, { projectId: null });
  return row;
}

function statsHandler(deps: ResourceDeps): Handler {
  return {
    handle: async (request) => {
      const id = param(request, 'amphora_id');
      authorize(deps.policy, request.identity, 'amphora:get_stats', { projectId: null });
      const row = await readOne<AmphoraRead>(deps.db, amphorae, id);
      const loadBalancerId = row?.load_balancer_id;
      const counted = row && loadBalancerId ? await readEngineStatistics(deps.db, row.engine_id, loadBalancerId) : [];
      if (!loadBalancerId || counted.length === 0) throw new NotFoundError('Amphora stats for', id);
      const items = counted.map((item) => amphoraStatisticsView(id, loadBalancerId, item));
      return { status: 200, body: { amphora_stats: items } };
    },
  };
}
