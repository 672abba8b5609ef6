import path from 'node:path';
import type { Locator, Page } from 'playwright-core';

/** Horizon as one user sees it. */
export interface Horizon {
  readonly page: Page;
  /** Goes to a page below Horizon's root, such as `project/load_balancer/`. */
  go(to: string): Promise<void>;
  /** Keeps a picture of the page, if pictures are asked for by SLIPSTREAM_PICTURES, a folder. */
  picture(name: string): Promise<void>;
}

export interface Login {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly region: string;
}

/** Where the panel of load balancers is. */
export const PANEL = 'project/load_balancer/';

/** Logs in by the form, as people do. */
export async function logInToHorizon(page: Page, login: Login): Promise<Horizon> {
  await page.goto(login.url);
  await page.fill('#id_username', login.username);
  await page.fill('#id_password', login.password);
  await page.click('#loginBtn');
  await page.waitForURL((url) => !url.pathname.includes('/auth/login'));
  await page.goto(new URL(`auth/switch_services_region/${login.region}/?next=/project/`, login.url).href);
  return {
    page,
    async go(to) {
      await page.goto(new URL(to, login.url).href);
    },
    async picture(name) {
      const folder = process.env['SLIPSTREAM_PICTURES'];
      if (folder !== undefined) await page.screenshot({ path: path.join(folder, `${name}.png`) });
    },
  };
}

/** The row of a table of Horizon that names this. */
export function rowOf(page: Page, name: string): Locator {
  return page.locator('tr', { has: page.getByRole('link', { name, exact: true }) });
}

/** Chooses an action from a row's menu; what is not offered times out. */
export async function choose(row: Locator, action: string): Promise<void> {
  const direct = row.locator('actions button, actions a').filter({ hasText: action }).first();
  if (!(await direct.isVisible())) await row.locator('actions .dropdown-toggle').first().click();
  await direct.click();
}

/** What a row offers, opened or not. */
export async function actionsOf(row: Locator): Promise<string[]> {
  const texts = await row.locator('actions button, actions a').allTextContents();
  return texts.map((text) => text.trim()).filter((text) => text !== '');
}

/** The dialogue in front. */
export function dialogue(page: Page): Locator {
  return page.locator('.modal-content').last();
}

/** The part of a wizard that has this form; it is turned to first. */
export async function turnTo(page: Page, step: string, form: string): Promise<Locator> {
  await dialogue(page).locator('.wizard-nav a', { hasText: step }).click();
  const part = dialogue(page).locator(`[ng-form="${form}"]`);
  await part.waitFor({ state: 'visible' });
  return part;
}

/** Chooses a row of one of octavia-dashboard's lists with a filter. */
export async function chooseFromList(part: Locator, label: string, text: string): Promise<void> {
  const group = part.locator('.form-group', { has: part.page().locator('label', { hasText: label }) });
  await group.locator('input').click();
  await group.locator('.filter-select-options tr', { hasText: text }).click();
}

/** A member that Horizon does not know as a server. */
export interface OutsideMember {
  readonly address: string;
  readonly subnet: string;
  readonly port: number;
}

/** Fills in a row of the wizard's members. */
export async function addMember(part: Locator, { address, subnet, port }: OutsideMember): Promise<void> {
  await part.getByText('Add external member').click();
  await part.locator('input[name$="-address"]:not([name*="monitor"]):enabled').last().fill(address);
  await part.locator('select[name$="-subnet"]:enabled').last().selectOption({ label: subnet });
  await part.locator('input[name$="-port"]:not([name*="monitor"]):enabled').last().fill(String(port));
}
