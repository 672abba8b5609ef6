import type { Page } from 'playwright-core';
import { type BrowserSession, openBrowser } from '../../support/browser';
import {
  actionsOf,
  addMember,
  choose,
  chooseFromList,
  dialogue,
  type Horizon,
  logInToHorizon,
  PANEL,
  rowOf,
  turnTo,
} from '../../support/horizon';
import { waitUntil } from '../../support/wait';
import { type Cloud, openCloud } from './cloud';
import { logIn, type Session } from './session';

const STEP_TIMEOUT = 300_000;
/** Horizon changes one thing after another, and looks every few seconds whether it may go on. */
const SETTLE_TIMEOUT = 180_000;
const SUBNET = 'private-subnet';

type Row = Record<string, unknown>;

describe("Horizon's load balancers", () => {
  jest.setTimeout(STEP_TIMEOUT);
  const name = process.env['SLIPSTREAM_PICTURES'] === undefined ? `horizon-${process.pid}` : 'web';
  let cloud: Cloud;
  let browser: BrowserSession;
  let session: Session;
  let member: Horizon;
  let page: Page;
  /** Allocated by Horizon, which never releases one by itself. */
  let floatingIp: Row | undefined;

  beforeAll(async () => {
    cloud = await openCloud();
    session = await logIn(cloud.as('member'));
    browser = await openBrowser();
    member = await open('member');
    page = member.page;
  });
  afterAll(async () => {
    await browser?.close();
    await removeLeftovers();
    await cloud?.close();
  });

  async function open(who: 'member' | 'reader'): Promise<Horizon> {
    const person = cloud.as(who);
    if (cloud.horizonUrl === undefined) throw new Error('this cloud has no Horizon');
    return logInToHorizon(await browser.newWindow(), { ...person, url: cloud.horizonUrl });
  }

  const api = async (path: string): Promise<Row[]> => {
    const collection = path.split('/').at(-1)?.split('?')[0] ?? '';
    return (await session.ask('load-balancer', 'GET', `/v2/lbaas/${path}`))[collection];
  };
  const balancer = async (): Promise<Row | undefined> =>
    (await api('loadbalancers')).find((row) => String(row['name']).startsWith(name));
  const pool = async (): Promise<Row | undefined> => {
    const id = (await balancer())?.['id'];
    return id === undefined ? undefined : (await api(`pools?loadbalancer_id=${id}`))[0];
  };
  const members = async (): Promise<Row[]> => {
    const id = (await pool())?.['id'];
    return id === undefined ? [] : api(`pools/${id}/members`);
  };
  const settled = async (): Promise<boolean> => (await balancer())?.['provisioning_status'] === 'ACTIVE';

  async function removeLeftovers(): Promise<void> {
    if (floatingIp !== undefined) await session.ask('network', 'DELETE', `/v2.0/floatingips/${floatingIp['id']}`);
    const left = await balancer();
    if (left === undefined) return;
    await waitUntil('what is left settles', SETTLE_TIMEOUT, settled);
    await session.ask('load-balancer', 'DELETE', `/v2/lbaas/loadbalancers/${left['id']}?cascade=true`);
  }
  const addresses = async (): Promise<Row[]> => (await session.ask('network', 'GET', '/v2.0/floatingips')).floatingips;

  it('creates one with listener, pool, members and monitor by the wizard', async () => {
    await member.go(PANEL);
    await page.getByRole('button', { name: 'Create Load Balancer' }).click();

    const details = dialogue(page).locator('[ng-form="loadBalancerDetailsForm"]');
    await details.locator('#name').fill(name);
    await details.locator('#description').fill('made in Horizon');
    await chooseFromList(details, 'Subnet', SUBNET);
    await member.picture('horizon-wizard');

    const listener = await turnTo(page, 'Listener Details', 'listenerDetailsForm');
    await listener.locator('#name').fill(`${name}-http`);
    await listener.locator('#protocol').selectOption({ label: 'HTTP' });
    await listener.locator('#port').fill('80');

    const poolStep = await turnTo(page, 'Pool Details', 'poolDetailsForm');
    await poolStep.locator('#name').fill(`${name}-pool`);
    await poolStep.locator('#method').selectOption({ label: 'ROUND_ROBIN' });

    const memberStep = await turnTo(page, 'Pool Members', 'memberDetailsForm');
    await addMember(memberStep, { address: '10.10.2.221', subnet: 'members-subnet', port: 8080 });
    await addMember(memberStep, { address: '10.10.2.222', subnet: 'members-subnet', port: 8080 });
    await member.picture('horizon-wizard-members');

    const monitor = await turnTo(page, 'Monitor Details', 'monitorDetailsForm');
    await monitor.locator('#type').selectOption({ label: 'HTTP' });
    await dialogue(page).locator('.modal-footer button', { hasText: 'Create Load Balancer' }).click();

    await rowOf(page, name).waitFor();
    await waitUntil('the wizard has made everything', SETTLE_TIMEOUT, async () => {
      const made = await pool();
      return (await members()).length === 2 && typeof made?.['healthmonitor_id'] === 'string' && (await settled());
    });
  });

  it('shows it as active', async () => {
    await member.go(PANEL);
    await rowOf(page, name).getByText('Active', { exact: true }).waitFor();
    await member.picture('horizon-load-balancers');
    await rowOf(page, name).getByRole('link', { name, exact: true }).click();
    await page.getByText('made in Horizon').waitFor();
    await member.picture('horizon-load-balancer');
  });

  it('changes its name', async () => {
    await member.go(PANEL);
    await choose(rowOf(page, name), 'Edit Load Balancer');
    const details = dialogue(page).locator('[ng-form="loadBalancerDetailsForm"]');
    // What it has is filled in when it has been loaded.
    const loaded = async (): Promise<boolean> => (await details.locator('#name').inputValue()) === name;
    await waitUntil('the form is filled in', SETTLE_TIMEOUT, loaded);
    await details.locator('#name').fill(`${name}-changed`);
    await dialogue(page).locator('.modal-footer button', { hasText: 'Update Load Balancer' }).click();
    await rowOf(page, `${name}-changed`).waitFor();
    await waitUntil('the name is changed', SETTLE_TIMEOUT, async () => {
      return (await balancer())?.['name'] === `${name}-changed` && (await settled());
    });
  });

  it('adds a member to its pool', async () => {
    await member.go(`${PANEL}${(await balancer())?.['id']}/pools/${(await pool())?.['id']}`);
    await page.locator('.nav-tabs a', { hasText: 'Members' }).click();
    await page.getByRole('button', { name: 'Add/Remove Members' }).click();
    const part = dialogue(page).locator('[ng-form="memberDetailsForm"]');
    const ports = part.locator('input[name$="-port"]:not([name*="monitor"])');
    await waitUntil('its members are filled in', SETTLE_TIMEOUT, async () => (await ports.count()) === 2);
    await addMember(part, { address: '10.10.2.223', subnet: 'members-subnet', port: 8081 });
    await dialogue(page).locator('.modal-footer button.btn-primary').last().click();
    await waitUntil('the pool has three members', SETTLE_TIMEOUT, async () => {
      return (await members()).length === 3 && (await settled());
    });
    await member.go(`${PANEL}${(await balancer())?.['id']}/pools/${(await pool())?.['id']}`);
    await page.locator('.nav-tabs a', { hasText: 'Members' }).click();
    await page.getByText('10.10.2.223').first().waitFor();
    await member.picture('horizon-members');
  });

  it('shows a reader everything, and offers no change', async () => {
    const reader = await open('reader');
    await reader.go(PANEL);
    const row = rowOf(reader.page, `${name}-changed`);
    await row.waitFor();
    // That one is Neutron's, which the dashboard does not ask about roles of load balancers.
    await row.getByText('Associate Floating IP').waitFor({ state: 'attached' });
    expect(await actionsOf(row)).toEqual(['Associate Floating IP']);
    await reader.page.getByRole('button', { name: 'Create Load Balancer' }).waitFor({ state: 'hidden' });
    await reader.picture('horizon-reader');
    await reader.page.context().close();
  });

  it('gives it a floating IP', async () => {
    await member.go(PANEL);
    await choose(rowOf(page, `${name}-changed`), 'Associate Floating IP');
    await dialogue(page).locator('#floating-ip').selectOption({ label: 'public' });
    await dialogue(page).getByRole('button', { name: 'Associate' }).click();
    const port = (await balancer())?.['vip_port_id'];
    await waitUntil('the VIP has a floating IP', SETTLE_TIMEOUT, async () => {
      floatingIp = (await addresses()).find((row) => row['port_id'] === port);
      return floatingIp !== undefined;
    });
    await member.go(PANEL);
    await choose(rowOf(page, `${name}-changed`), 'Disassociate Floating IP');
    await dialogue(page).getByRole('button', { name: 'Disassociate' }).click();
    await waitUntil('the VIP has none any more', SETTLE_TIMEOUT, async () => {
      return !(await addresses()).some((row) => row['port_id'] === port);
    });
  });

  it('deletes it', async () => {
    await member.go(PANEL);
    await choose(rowOf(page, `${name}-changed`), 'Delete Load Balancer');
    await dialogue(page).getByRole('button', { name: 'Delete Load Balancer' }).click();
    await rowOf(page, `${name}-changed`).waitFor({ state: 'detached' });
    await waitUntil('it is gone', SETTLE_TIMEOUT, async () => (await balancer()) === undefined);
  });
});
