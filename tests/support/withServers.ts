import { hasGalera } from './galera';
import { findMariaDb } from './mariaDb';
import { canBoundMemory } from './memoryGroup';
import { canMakeNamespaces } from './namespaces';
import { hasRabbitMq } from './rabbitmq';

/** A suite that has no meaning on SQLite. Left out, and said so, where mariadbd is not installed; never in CI. */
export function describeWithMariaDb(title: string, suite: () => void): void {
  describeIf(findMariaDb() !== undefined, { title, missing: 'no mariadbd' }, suite);
}

/** A suite on RabbitMQ alone, with the same rule. */
export function describeWithBroker(title: string, suite: () => void): void {
  describeIf(hasRabbitMq(), { title, missing: 'no RabbitMQ' }, suite);
}

/** A suite on a Galera cluster, with the same rule. */
export function describeWithGalera(title: string, suite: () => void): void {
  describeIf(hasGalera(), { title, missing: 'no mariadbd, galera-4 or rsync' }, suite);
}

/** A suite on MariaDB and RabbitMQ. Left out, and said so, where one is not installed; never in CI. */
export function describeWithServers(title: string, suite: () => void): void {
  describeIf(findMariaDb() !== undefined && hasRabbitMq(), { title, missing: 'no mariadbd or no RabbitMQ' }, suite);
}

/** A suite with machines and networks in network namespaces. Left out, and said so, where none can be made; never in CI. */
export function describeWithNamespaces(title: string, suite: () => void): void {
  describeIf(canMakeNamespaces(), { title, missing: 'not root, or no iproute2 or nftables' }, suite);
}

/** A suite with machines in network namespaces whose processes run out of memory, with the same rule. */
export function describeWithMemoryGroups(title: string, suite: () => void): void {
  const installed = canMakeNamespaces() && canBoundMemory();
  describeIf(installed, { title, missing: 'not root, or no control groups for memory' }, suite);
}

function describeIf(
  installed: boolean,
  { title, missing }: { title: string; missing: string },
  suite: () => void,
): void {
  const wanted = process.env['SLIPSTREAM_TEST_SERVICES'] !== 'none' && (installed || Boolean(process.env['CI']));
  if (wanted) describe(title, suite);
  else describe.skip(`${title}: ${missing}`, suite);
}
