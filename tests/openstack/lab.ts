import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Person } from './clients/cloud';
import { LAB } from './clients/cloud';

/** What `setup-devstack.sh` has made: lab.json, cloud.json and identities.json of its state directory. */
export interface Lab {
  readonly directory: string;
  readonly authUrl: string;
  readonly region: string;
  readonly password: string;
  readonly loadBalancerUrl: string;
  readonly databaseUrl: string;
  /** Of the broker, without a virtual host. */
  readonly transportUrl: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly cloud: CloudIds;
  /** Anybody the lab knows: admin, demo, reader, plain and other, and service users such as octavia. */
  person(username: string, projectName: string): Person;
}

/** Written by devstack/lab/python/cloud.py. */
export interface CloudIds {
  readonly service_project_id: string;
  readonly demo_project_id: string;
  readonly management_network_id: string;
  readonly management_subnet_id: string;
  readonly management_gateway: string;
  readonly management_security_group_id: string;
  readonly public_network_id: string;
  readonly public_subnet_id: string;
  readonly router_id: string;
  readonly private_network_id: string;
  readonly private_subnet_id: string;
  readonly members_network_id: string;
  readonly members_subnet_id: string;
  readonly plain_network_id: string;
  readonly plain_subnet_id: string;
  readonly engines_network_id: string;
  readonly engines_gateway: string;
  readonly engine_flavor_id: string;
  readonly server_flavor_id: string;
}

interface LabFile {
  readonly auth_url: string;
  readonly region: string;
  readonly password: string;
  readonly load_balancer_url: string;
  readonly database_url: string;
  readonly transport_url: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** @throws Error when no lab has come up in LAB */
export function readLab(directory = LAB): Lab {
  if (!existsSync(path.join(directory, 'cloud.json'))) throw new Error(`no lab in ${directory}: run setup-devstack.sh`);
  const read = <T>(name: string): T => JSON.parse(readFileSync(path.join(directory, name), 'utf8')) as T;
  const { auth_url: authUrl, region, password, ...lab } = read<LabFile>('lab.json');
  return {
    directory,
    authUrl,
    region,
    password,
    loadBalancerUrl: lab.load_balancer_url,
    databaseUrl: lab.database_url,
    transportUrl: lab.transport_url,
    ports: lab.ports,
    cloud: read<CloudIds>('cloud.json'),
    person: (username, projectName) => ({ authUrl, region, username, password, projectName }),
  };
}
