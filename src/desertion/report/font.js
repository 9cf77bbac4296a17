/* The letters are there before the first words are drawn, so that nothing moves: a font from bytes is ready at once. */
for (const [, weight, letters] of document.getElementById("marks").textContent.matchAll(/font-weight:(\d+);src:url\(data:font\/ttf;base64,([^)]+)\)/g))
  document.fonts.add(new FontFace("Source Sans Pro", Uint8Array.from(atob(letters), (sign) => sign.charCodeAt(0)), { weight }));
