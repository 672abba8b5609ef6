import type { Handler } from '../../exchange';
import { authorize } from '../../policy/authorize';
import { authorizeCatalogue, readCatalogue } from '../catalogue';
import { callerOf, type Handlers, type ResourceDeps } from '../deps';
import { param } from '../reading';
import { commandEngine, type EngineVerb, resumeGroup } from './engineVerbs';
import { ENGINE, GROUP } from './view';

export type VerbIds = `${EngineVerb}ServiceEngine` | 'resumeServiceEngineGroup';

/** What operators do with engines and groups. */
export function verbRoutes(deps: ResourceDeps): Handlers<VerbIds> {
  const verb = (word: EngineVerb): Handler => ({
    handle: async (request) => {
      authorize(deps.policy, request.identity, `slipstream:service-engine:${word}`, { projectId: null });
      const id = param(request, ENGINE.keyParam);
      await commandEngine(deps.commands, callerOf(request), { id, verb: word });
      return { status: 202, body: { [ENGINE.root]: await readCatalogue(deps, ENGINE, id) } };
    },
  });
  return {
    enableServiceEngine: verb('enable'),
    disableServiceEngine: verb('disable'),
    migrateServiceEngine: verb('migrate'),
    switchoverServiceEngine: verb('switchover'),
    rebootServiceEngine: verb('reboot'),
    resumeServiceEngineGroup: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, GROUP, 'put');
        const id = param(request, GROUP.keyParam);
        await resumeGroup(deps.commands, callerOf(request), id);
        return { status: 202, body: { [GROUP.root]: await readCatalogue(deps, GROUP, id) } };
      },
    },
  };
}
