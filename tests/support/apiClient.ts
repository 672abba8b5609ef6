import { readCloud, type Site } from './site';
import { waitUntil } from './wait';

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** The site's API as one of its users sees it: logs in at the embedded Keystone, then speaks Octavia v2. */
export interface ApiClient {
  /** The embedded Neutron's subnet for VIPs. */
  readonly subnetId: string;
  /** Of this login, for the site's other services. */
  readonly token: string;
  /** URL of a service of the catalogue, such as `network` or `key-manager`. @throws when there is none */
  endpoint(type: string): string;
  request(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** POST to a collection; gives the created object. @throws when it is refused */
  create<T = Record<string, string>>(collection: string, root: string, fields: Record<string, unknown>): Promise<T>;
  /** GET of one object, less its root. @throws when it is not there */
  show<T = Record<string, string>>(path: string, root: string): Promise<T>;
  /** Waits until the load balancer is neither pending nor gone; gives its provisioning status. */
  settled(id: string, timeout?: number): Promise<string>;
}

/** Logs in as the user of that cloud in the site's clouds.yaml. */
export async function logIn(site: Site, cloud = 'slipstream'): Promise<ApiClient> {
  const { token, catalog } = await fetchToken(site, cloud);
  const endpoint = (type: string) => findEndpoint(catalog, type);
  const subnetId = await findSubnet(endpoint('network'), token);
  const request = async (method: string, path: string, body?: unknown): Promise<ApiAnswer> => {
    const response = await fetch(`${site.apiUrl}/v2/lbaas${path}`, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json', accept: 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  };
  return makeClient(request, { subnetId, token, endpoint });
}

function makeClient(
  request: ApiClient['request'],
  about: Pick<ApiClient, 'subnetId' | 'token' | 'endpoint'>,
): ApiClient {
  const expectOk = (what: string, answer: ApiAnswer): ApiAnswer => {
    if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  return {
    ...about,
    request,
    async create(collection, root, fields) {
      const answer = expectOk(`POST ${collection}`, await request('POST', collection, { [root]: fields }));
      return answer.body[root];
    },
    async show(path, root) {
      return expectOk(`GET ${path}`, await request('GET', path)).body[root];
    },
    async settled(id, timeout = 20_000) {
      let status = '';
      await waitUntil(`load balancer ${id} is settled`, timeout, async () => {
        const answer = expectOk('GET', await request('GET', `/loadbalancers/${id}`));
        status = answer.body.loadbalancer.provisioning_status;
        return !status.startsWith('PENDING_');
      });
      return status;
    },
  };
}

interface CatalogService {
  readonly type: string;
  readonly endpoints: readonly { readonly interface: string; readonly url: string }[];
}

interface Login {
  readonly token: string;
  readonly catalog: readonly CatalogService[];
}

function findEndpoint(catalog: readonly CatalogService[], type: string): string {
  const service = catalog.find((entry) => entry.type === type);
  const endpoint = service?.endpoints.find((entry) => entry.interface === 'public');
  if (!endpoint) throw new Error(`the catalogue has no ${type} service`);
  return endpoint.url;
}

async function findSubnet(networkUrl: string, token: string): Promise<string> {
  const response = await fetch(`${networkUrl.replace(/\/v2\.0\/?$/, '')}/v2.0/subnets?name=local`, {
    headers: { 'x-auth-token': token },
  });
  const { subnets } = (await response.json()) as { subnets: { id: string }[] };
  if (!subnets[0]) throw new Error('the embedded Neutron has no subnet "local"');
  return subnets[0].id;
}

async function fetchToken(site: Site, cloud: string): Promise<Login> {
  const user = readCloud(site, cloud);
  const domain = { name: 'Default' };
  const response = await fetch(`${user.authUrl.replace(/\/v3\/?$/, '')}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: user.username, password: user.password, domain } },
        },
        scope: { project: { name: user.projectName, domain } },
      },
    }),
  });
  const token = response.headers.get('x-subject-token');
  if (!token) throw new Error(`no token for ${cloud}: ${response.status} ${await response.text()}`);
  const { catalog } = ((await response.json()) as { token: { catalog: CatalogService[] } }).token;
  return { token, catalog };
}
