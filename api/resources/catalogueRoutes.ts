import type { CommandDeps } from '../changes/deps';
import type { ApiRequest, Handler } from '../exchange';
import { authorizeCatalogue, type CatalogueKind, listCatalogue, readCatalogue, showCatalogue } from './catalogue';
import type { ResourceDeps } from './deps';
import { param } from './reading';

/** The commands of a kind; bodies are typed by the OpenAPI document, which has been checked before. */
export interface CatalogueCommands<Create, Update> {
  /** Gives the new object's key. */
  readonly create: (deps: CommandDeps, body: Create) => Promise<string>;
  readonly update: (deps: CommandDeps, key: string, body: Update) => Promise<void>;
  readonly remove: (deps: CommandDeps, key: string) => Promise<void>;
}

/** The five operations on a kind that belongs to no project: the caller must be allowed before anything is looked up. */
export function catalogueHandlers<R extends object, V extends object, Create, Update>(
  deps: ResourceDeps,
  kind: CatalogueKind<R, V>,
  commands: CatalogueCommands<Create, Update>,
): { list: Handler; show: Handler; create: Handler; update: Handler; remove: Handler } {
  const bodyOf = (request: ApiRequest) => (request.body as Record<string, unknown>)[kind.root];
  const answer = async (key: string) => ({ [kind.root]: await readCatalogue(deps, kind, key) });
  return {
    list: listCatalogue(deps, kind),
    show: showCatalogue(deps, kind),
    create: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, kind, 'post');
        const key = await commands.create(deps.commands, bodyOf(request) as Create);
        return { status: 201, body: await answer(key) };
      },
    },
    update: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, kind, 'put');
        const key = param(request, kind.keyParam);
        await commands.update(deps.commands, key, bodyOf(request) as Update);
        return { status: 200, body: await answer(key) };
      },
    },
    remove: {
      handle: async (request) => {
        authorizeCatalogue(deps, request, kind, 'delete');
        await commands.remove(deps.commands, param(request, kind.keyParam));
        return { status: 204 };
      },
    },
  };
}
