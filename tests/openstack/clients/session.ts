import type { Person } from './cloud';

/** A login, for what a test prepares or looks at beside the client it tests. */
export interface Session {
  readonly projectId: string;
  readonly userId: string;
  readonly token: string;
  /** Base URL of a service of the catalogue in the person's region, without a slash at its end. @throws when there is none */
  endpoint(type: string): string;
  /** Asks a service; gives the body, undefined when there is none. @throws unless the answer is below 300 */
  ask<T = Body>(service: string, method: string, path: string, body?: unknown): Promise<T>;
  /** As a GET by `ask`, but undefined when the answer is 404. */
  find<T = Body>(service: string, path: string): Promise<T | undefined>;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
type Body = any;

interface Token {
  readonly project: { readonly id: string };
  readonly user: { readonly id: string };
  readonly catalog: readonly {
    readonly type: string;
    readonly endpoints: readonly { readonly interface: string; readonly region_id: string; readonly url: string }[];
  }[];
}

/**
 * Logs in by password.
 * @param elsewhere base URLs that take the place of the catalogue's, by type of service
 * @throws when refused
 */
export async function logIn(person: Person, elsewhere: Readonly<Record<string, string>> = {}): Promise<Session> {
  const { token, about } = await fetchToken(person);
  const endpoint = (type: string): string => {
    const other = elsewhere[type];
    if (other !== undefined) return other;
    const entry = about.catalog.find((service) => service.type === type);
    const here = entry?.endpoints.filter((each) => each.region_id === person.region);
    const url = here?.find((each) => each.interface === 'public')?.url;
    if (url === undefined) throw new Error(`no ${type} in the catalogue`);
    return url.replace(/\/+$/, '');
  };
  const send = (service: string, method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${endpoint(service)}${path}`, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    projectId: about.project.id,
    userId: about.user.id,
    token,
    endpoint,
    async ask(service, method, path, body) {
      return readAnswer(`${method} ${service} ${path}`, await send(service, method, path, body));
    },
    async find(service, path) {
      const answer = await send(service, 'GET', path);
      return answer.status === 404 ? undefined : readAnswer(`GET ${service} ${path}`, answer);
    },
  };
}

async function fetchToken(person: Person): Promise<{ token: string; about: Token }> {
  const domain = { id: 'default' };
  const answer = await fetch(`${person.authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: person.username, password: person.password, domain } },
        },
        scope: { project: { name: person.projectName, domain } },
      },
    }),
  });
  const body = (await readAnswer('the login', answer)) as { token: Token };
  const token = answer.headers.get('x-subject-token');
  if (token === null) throw new Error('Keystone gave no token');
  return { token, about: body.token };
}

async function readAnswer(what: string, answer: Response): Promise<Body> {
  const text = await answer.text();
  if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
