import { z } from 'zod';
import type { Identity } from '../../../../driver/domain/identity';
import { fromBackend, serverError } from './errors';

export type Item = Readonly<Record<string, unknown>>;

const ITEM = z.record(z.string(), z.unknown());

/** What Contrail's plugin asks the API server. */
export interface Backend {
  ask(call: BackendCall): Promise<unknown>;
}

export interface BackendCall {
  readonly resource: string;
  readonly operation: 'CREATE' | 'READ' | 'UPDATE' | 'DELETE' | 'READALL';
  readonly caller: Identity;
  readonly data: Item;
}

/** The neutron backend of the API server at the URL. @throws NeutronError */
export function createBackend(url: string, token: () => string | undefined): Backend {
  return {
    async ask({ resource, operation, caller, data }) {
      const { userId, projectId, roles } = caller;
      const tenant = projectId ?? '';
      const context = {
        ...{ operation, type: resource, user_id: userId, is_admin: isAdmin(caller), roles, tenant, tenant_id: tenant },
      };
      const given = token();
      const answer = await fetch(`${url}/neutron/${resource}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...(given === undefined ? {} : { 'X-Auth-Token': given }) },
        body: JSON.stringify({ context, data }),
      }).catch(() => {
        throw serverError();
      });
      const body = read(await answer.text());
      if (answer.ok) return body;
      const refusal = ITEM.safeParse(body).data;
      if (answer.status !== 400 || !refusal) throw serverError();
      throw fromBackend(refusal, resource);
    },
  };
}

/** JSON under whatever type; an empty one is none. */
function read(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

export function isAdmin({ roles, isAdmin: isSuper }: Identity): boolean {
  return isSuper || roles.includes('admin');
}

export function itemOf(value: unknown): Item {
  return ITEM.parse(value);
}

export function itemsOf(value: unknown): readonly Item[] {
  return z.array(ITEM).parse(value);
}
