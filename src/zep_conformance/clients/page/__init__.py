"""LangFlux's page, used as a person uses it: a real Chromium, driven by Playwright.

    chromium    the browser of a run: which one, how it is started, and that it is gone at the end
    visit       one scenario's use of the page: a context of its own, what it has heard, how things are found
    places      where everything is in the page: selectors and accessible names, as data
    actions     what a person does there: on the canvas, in the chat, with credentials; in the documentation's words
    mutations   faults planted in the page on its way to the browser, to prove that a scenario notices

Playwright is imported when a browser is first wanted, and not before: it is an extra, and takes a quarter of a second.
"""
