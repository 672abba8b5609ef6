import { Fault } from './fault';
import type { Members } from './json';
import { repr } from './python';
import { CLOUD_ADMIN, type KeystoneProjects, PERMISSIONS, withoutDashes } from './site';

/** Who a token is of. */
export interface Identity {
  readonly user: string;
  readonly project: string;
  readonly projectId: string;
  readonly roles: readonly string[];
}

/** The Keystone behind the server. */
export interface TokenService extends KeystoneProjects {
  identify(token: string): Promise<Identity | undefined>;
  /** As its 401 names it. */
  readonly uri: string;
}

export type AuthMode = 'none' | 'rbac' | 'cloud-admin';

/** What a request wants, as rules speak of it. */
export interface Wish {
  readonly verb: 'C' | 'R' | 'U' | 'D';
  readonly object: string;
}

/** A refusal that announces a body and closes the connection before it. */
export class CutShort extends Error {}

/** A refusal that says where tokens come from. */
export class Unauthenticated extends Error {
  constructor(readonly uri: string) {
    super('The request you have made requires authentication.');
  }
}

/** What everybody may do. */
const OPEN = ['fqname-to-id', 'id-to-fqname', 'useragent-kv'];

/** Whose a request is, as what it makes will say. */
export interface Maker {
  readonly owner: string;
  readonly permissions?: Members;
}

/** Who asks. @throws what the mode refuses with */
export async function authorize(
  mode: AuthMode,
  tokens: TokenService,
  token: string | undefined,
  wish: Wish,
): Promise<Maker> {
  if (mode === 'none') return { owner: CLOUD_ADMIN };
  const identity = token === undefined ? undefined : await tokens.identify(token);
  if (!identity) throw new Unauthenticated(tokens.uri);
  const { user, roles } = identity;
  const permissions = { ...PERMISSIONS, owner: user, group: roles[0] ?? '' };
  const maker = { owner: withoutDashes(identity.projectId), permissions };
  if (roles.some((role) => role.toLowerCase() === 'admin')) return maker;
  if (mode === 'cloud-admin') throw new CutShort();
  if (OPEN.includes(wish.object)) return maker;
  const who = `${user} as ${repr(roles)}`;
  throw new Fault(403, `Permission Denied for ${who} to ${wish.verb} ${wish.object} in ${identity.project}`);
}

const PROJECTS = [
  { id: 'aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa', name: 'admin' },
  { id: 'bbbbbbbbbbbb4bbb8bbbbbbbbbbbbbbb', name: 'service' },
  { id: 'cccccccccccc4ccc8ccccccccccccccc', name: 'demo' },
];

/** Tokens that always hold, for who has no Keystone at hand. */
export const FIXED_TOKENS = { admin: 'token-admin', demo: 'token-demo' } as const;

const IDENTITIES: Readonly<Record<string, Identity>> = {
  [FIXED_TOKENS.admin]: { user: 'admin', project: 'admin', projectId: PROJECTS[0]?.id ?? '', roles: ['admin'] },
  [FIXED_TOKENS.demo]: { user: 'demo', project: 'demo', projectId: PROJECTS[2]?.id ?? '', roles: ['member'] },
};

/** A Keystone of two users and three projects, and whatever projects are added. */
export function fixedTokens(added: { id: string; name: string }[]): TokenService {
  const all = () => [...PROJECTS, ...added];
  return {
    uri: 'http://127.0.0.1/v3',
    identify: async (token) => IDENTITIES[token],
    byId: async (id) => all().find((project) => project.id === withoutDashes(id)),
    byName: async (name) => all().find((project) => project.name === name),
  };
}
