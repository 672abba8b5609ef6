import { buildDirectory, type Passwords } from '../../../driver/clouds/keystone/directory';
import {
  createEmbeddedKeystone,
  type EmbeddedKeystone,
  type KeystoneDeps,
} from '../../../driver/clouds/keystone/memory';

export const PASSWORDS: Passwords = {
  admin: 'pw-admin',
  member: 'pw-member',
  reader: 'pw-reader',
  service: 'pw-service',
};

/** An embedded Keystone whose users have the passwords above. */
export function aKeystone(deps: Partial<KeystoneDeps> = {}): EmbeddedKeystone {
  return createEmbeddedKeystone({ directory: buildDirectory(PASSWORDS), ...deps });
}

export type UserName = 'admin' | 'member' | 'reader' | 'slipstream';

/** The body of a password login; unscoped without a project. */
export function passwordLogin(name: UserName, project?: string, password?: string) {
  const known = PASSWORDS[name === 'slipstream' ? 'service' : name];
  return {
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name, domain: { id: 'default' }, password: password ?? known } },
      },
      ...(project === undefined ? {} : { scope: { project: { name: project, domain: { id: 'default' } } } }),
    },
  };
}

/** A token for the user on the project. */
export function issueToken(keystone: EmbeddedKeystone, name: UserName, project: string): string {
  return keystone.authenticate(passwordLogin(name, project).auth).id;
}
