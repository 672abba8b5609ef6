import type { Db } from '../../driver/db/connect';
import type { TraceDeps } from '../../driver/trace/collect/collect';
import type { Caller, CommandDeps } from '../changes/deps';
import type { ApiRequest, Handler } from '../exchange';
import type { ListSettings } from '../listing/list';
import type { operations } from '../openapi/schema.gen';
import type { Policy } from '../policy/authorize';

/** What the handlers of every resource need. */
export interface ResourceDeps {
  readonly db: Db;
  readonly policy: Policy;
  readonly lists: ListSettings;
  readonly commands: CommandDeps;
  /** What a VIP is followed by. */
  readonly trace: TraceDeps;
  /** Names this service answers under, with what users are told about them. */
  readonly providers: Readonly<Record<string, string>>;
}

/** A name of the OpenAPI document. */
export type OperationId = keyof operations;

/** One handler for each of these operations. */
export type Handlers<Ids extends OperationId = OperationId> = Readonly<Record<Ids, Handler>>;

/** The caller of a command. */
export function callerOf(request: ApiRequest): Caller {
  const { identity, token, requestId, gone } = request;
  return { identity, token, requestId, gone };
}
