"""Scripts that look at a page in a browser: what can be read, what has a name, what is cut off."""

CONTRASTS = """() => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const read = (colour) => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const parents = (element) => {
        const found = [];
        for (let each = element; each; each = each.parentElement) found.unshift(each);
        return found;
    };
    const dialog = [...document.querySelectorAll("[role=dialog]")].find((each) => each.checkVisibility());
    const walker = document.createTreeWalker(dialog ?? document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    let count = 0;
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || element.closest("script, style, .studio-hidden")) continue;
        if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        if (element.closest("[disabled], [aria-disabled=true], .disabled")) continue;
        count++;
        const style = getComputedStyle(element);
        const isSvg = element.closest("svg") !== null;
        let paper = [255, 255, 255, 1];
        let opacity = 1;
        for (const each of parents(element)) {
            const own = getComputedStyle(each);
            opacity *= Number(own.opacity);
            if (each === document.documentElement || !(each instanceof SVGElement && each.tagName !== "svg"))
                paper = over(read(own.backgroundColor), paper);
        }
        const ink = read(isSvg ? style.fill : style.color);
        ink[3] *= opacity * (isSvg ? Number(style.fillOpacity) : 1);
        if (isSvg) {  // what is drawn beneath a letter in a picture, if that is a shape
            const box = element.getBoundingClientRect();
            const shapes = [...element.closest("svg").querySelectorAll("rect, path, polygon, circle")];
            for (const shape of shapes) {
                if (shape.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING) continue;
                const own = getComputedStyle(shape);
                const area = shape.getBoundingClientRect();
                const holds = area.left <= box.left + 1 && area.right >= box.right - 1 &&
                    area.top <= (box.top + box.bottom) / 2 && area.bottom >= (box.top + box.bottom) / 2;
                if (!holds || own.fill === "none" || own.fill.startsWith("url")) continue;
                const fill = read(own.fill);
                fill[3] *= Number(own.fillOpacity) * Number(own.opacity);
                paper = over(fill, paper);
            }
        }
        const [one, other] = [luminance(over(ink, paper)), luminance(paper)].sort((a, b) => b - a);
        const contrast = (one + 0.05) / (other + 0.05);
        const least = element.closest(".q-icon") ? 3 : 4.5; // WCAG 2.2, level AA: of signs, of text of any size
        const text = walker.currentNode.textContent.trim().slice(0, 40);
        const name = `${element.tagName}.${element.getAttribute("class")}`;
        if (contrast < least) faint.push({ text, contrast, ink, paper, name });
    }
    return { count, faint };
}"""
"""The visible texts that are too faint on what is behind them, and how many there are;
of a dialog's alone, while one stands before the page."""

NAMELESS = """() => {
    const wanted = "button, a[href], input, select, textarea, [role=button], [role=tab], [role=slider], [role=img]," +
        "[role=combobox], [role=dialog], [role=toolbar], [role=progressbar], [role=region], section, [tabindex='0']";
    const name = (element) => {
        const by = element.getAttribute("aria-labelledby");
        const labels = by ? by.split(" ").map((id) => document.getElementById(id)?.textContent) : [];
        const own = [...(element.labels ?? [])].map((label) => label.textContent);
        const said = [element.getAttribute("aria-label"), ...labels, ...own, element.title];
        const hasText = element.matches("button, a, [role=button], [role=tab], [role=option], [role=menuitem]");
        return [...said, hasText ? element.textContent : ""].map((each) => (each ?? "").trim()).find(Boolean);
    };
    return [...document.querySelectorAll(wanted)].filter((each) => each.checkVisibility() && !name(each))
        .filter((each) => !each.closest("[aria-hidden=true]")).map((each) => each.outerHTML.slice(0, 200));
}"""
"""What can be used or is a place of its own and has no name for a screen reader."""

AT_REST = """() => document.getAnimations().every((each) =>
    each.playState !== "running" || each.effect.getComputedTiming().iterations === Infinity)"""
"""Whether nothing moves any more, but what always does, like a cursor."""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, [role=heading]")]
    .filter((each) => each.checkVisibility())
    .map((each) => Number(each.getAttribute("aria-level") ?? each.tagName[1]))"""
CUT = """() => [...document.querySelectorAll("button, input, [role=tab]")]
    .filter((each) => each.checkVisibility() && !each.closest(".studio-scroll, .studio-drawing, .cm-editor"))
    .filter((each) => {
        const box = each.getBoundingClientRect();
        return box.width && (box.left < 0 || box.right > innerWidth);
    }).map((each) => each.outerHTML.slice(0, 200))"""
"""What can be used and is not wholly within the width of the window."""
