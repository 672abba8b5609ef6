import { type Condition, readOne } from '../../../driver/db/read/model';
import { type QuotaRead, quotas } from '../../../driver/db/read/quotas';
import type { Handler } from '../../exchange';
import { listPage } from '../../listing/list';
import type { Schemas } from '../../openapi/schemas';
import { authorize } from '../../policy/authorize';
import type { Handlers, ResourceDeps } from '../deps';
import { param, visibleProject } from '../reading';
import { deleteQuota, updateQuota } from './commands';
import { quotaDefaultsView, quotaListView, quotaView } from './view';

type Ids =
  | 'listQuotas'
  | 'showQuota'
  | 'updateQuota'
  | 'deleteQuota'
  | 'showQuotaDefaults'
  | 'showProjectQuotaDefaults';

export function quotaRoutes(deps: ResourceDeps): Handlers<Ids> {
  const { db, policy, commands } = deps;
  const { defaultQuotas } = commands.settings;
  const show = async (projectId: string) => quotaView(projectId, await readOne(db, quotas, projectId), defaultQuotas);
  return {
    listQuotas: listQuotas(deps),
    showQuota: {
      handle: async (request) => {
        const projectId = param(request, 'project_id');
        authorize(policy, request.identity, 'quota:get_one', { projectId });
        return { status: 200, body: { quota: await show(projectId) } };
      },
    },
    updateQuota: {
      handle: async (request) => {
        const { quota: body } = request.body as { quota: Schemas['QuotaUpdate'] };
        const projectId = param(request, 'project_id');
        authorize(policy, request.identity, 'quota:put', { projectId });
        await updateQuota(commands, { projectId, body });
        return { status: 202, body: { quota: await show(projectId) } };
      },
    },
    deleteQuota: {
      handle: async (request) => {
        const projectId = param(request, 'project_id');
        authorize(policy, request.identity, 'quota:delete', { projectId });
        await deleteQuota(commands, projectId);
        return { status: 202 };
      },
    },
    // The word stands where a project's id would, and policy takes it for one.
    showQuotaDefaults: defaultsHandler(deps, () => 'defaults'),
    showProjectQuotaDefaults: defaultsHandler(deps, (request) => param(request, 'project_id')),
  };
}

function defaultsHandler(
  { policy, commands }: ResourceDeps,
  projectOf: (request: Parameters<typeof param>[0]) => string,
): Handler {
  return {
    handle: async (request) => {
      authorize(policy, request.identity, 'quota:get_defaults', { projectId: projectOf(request) });
      return { status: 200, body: { quota: quotaDefaultsView(commands.settings.defaultQuotas) } };
    },
  };
}

function listQuotas({ db, policy, lists, commands }: ResourceDeps): Handler {
  return {
    handle: async ({ identity, query, url }) => {
      const project = visibleProject(policy, { identity, query }, 'quota');
      const conditions: Condition[] = project === null ? [] : [{ sql: 'o.project_id = ?', bindings: [project] }];
      const view = (row: QuotaRead) => quotaListView(row, commands.settings.defaultQuotas);
      const settings = { ...lists, allowFieldSelection: false };
      const page = await listPage(db, settings, { model: quotas, view, conditions, query, url });
      return { status: 200, body: { quotas: page.items, quotas_links: page.links } };
    },
  };
}
