"""The way to HTTPS as each platform is shown it: its own two steps, in its language; the address at fault is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import chromium
from tests.support.small_server import NAMES, SmallServer, small_server

MOZILLA = "Mozilla/5.0 "
AGENTS = {
    "ios": MOZILLA + "(iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1",
    "android": MOZILLA + "(Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36",
    "windows": MOZILLA + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0",
    "macos": MOZILLA + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
    "linux": MOZILLA + "(X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "firefox": MOZILLA + "(Android 15; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
}
ITS_OWN = {
    "ios": "Certificate Trust Settings",
    "firefox": "Authorities",
    "windows": "Trusted Root",
    "macos": "Keychain",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallServer]:
    with small_server(tmp_path_factory.mktemp("small")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, chromium(playwright) as browser:
        yield browser


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
@pytest.mark.parametrize("platform", AGENTS)
def test_a_platform_gets_its_own_two_steps(browser: Browser, server: SmallServer, platform: str, locale: str) -> None:
    context = browser.new_context(user_agent=AGENTS[platform], locale=locale)
    page = context.new_page()
    address = f"http://127.0.0.1:{server.ports['page']}"
    page.goto(f"{address}/")
    page.wait_for_selector("details[open]")
    opened = page.locator("details[open]")
    assert opened.count() == 1 and opened.get_attribute("data-platform") == platform
    assert page.locator("details").first.get_attribute("data-platform") == platform, "it comes first"
    assert opened.locator("li:visible").count() == 2
    link = "/ca.mobileconfig" if platform in ("ios", "macos") else "/ca.crt"
    assert opened.locator("li:visible a").get_attribute("href") == link
    shown = page.inner_text("body")
    if locale == "en-GB":
        assert f"This address ({address}) cannot use your microphone" in shown
        assert ITS_OWN.get(platform, "certificate") in opened.inner_text()
    else:
        assert f"Diese Adresse ({address}) kann das Mikrofon nicht benutzen" in shown and "cannot use" not in shown
    assert f"Stimme {NAMES[0]}" in page.locator(".name").first.text_content()  # type: ignore[operator]
    assert page.request.get(f"{address}{link}").status == 200
    context.close()
