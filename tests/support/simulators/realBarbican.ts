import type { CallerAccess } from '../../../driver/clouds/certificates/port';
import { passwordLogin, type UserName } from './keystone';

/** A Barbican somewhere else, to try the twin over HTTP on. */
export interface RealBarbican {
  /** Without the version. */
  readonly url: string;
  login(user: UserName, project: string): Promise<CallerAccess>;
}

/**
 * The Barbican at TEST_BARBICAN_URL behind the Keystone at TEST_KEYSTONE_URL (with `/v3`), which knows the users, passwords
 * and projects of the embedded one (keystone.ts beside this file). Undefined where the variables are not set.
 */
export const realBarbican: RealBarbican | undefined = openFromEnvironment(
  process.env['TEST_BARBICAN_URL'],
  process.env['TEST_KEYSTONE_URL'],
);

function openFromEnvironment(url?: string, keystone?: string): RealBarbican | undefined {
  if (!url || !keystone) return undefined;
  return {
    url,
    async login(user, project) {
      const answer = await fetch(`${keystone}/auth/tokens`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(passwordLogin(user, project)),
      });
      if (answer.status !== 201) throw new Error(`login of ${user}: ${answer.status}`);
      const { token } = (await answer.json()) as {
        token: { user: { id: string }; project: { id: string }; roles: { name: string }[] };
      };
      return {
        token: answer.headers.get('X-Subject-Token') ?? '',
        identity: {
          userId: token.user.id,
          projectId: token.project.id,
          domainId: null,
          systemScope: null,
          roles: token.roles.map(({ name }) => name),
          isAdmin: false,
        },
      };
    },
  };
}
