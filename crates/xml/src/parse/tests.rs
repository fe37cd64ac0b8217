// SPDX-License-Identifier: GPL-2.0-or-later
//! What is read, what is refused, and what is said about it.

use super::*;

fn error(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |tree| format!("accepted {tree}"))
}

#[test]
fn reads_what_pacemaker_writes() {
    let text = r#"<?xml version="1.0"?>
<cib epoch="3"><!-- c --><a x="&lt;&#x41;&#9;&quot;'"/>
</cib>
"#;
    let tree = parse(text).unwrap();
    assert_eq!(tree.child("a").unwrap().attr("x"), Some("<A\t\"'"));
    assert_eq!(tree.to_string(), r#"<cib epoch="3"><!-- c --><a x="&lt;A&#x09;&quot;'"/></cib>"#);
}

#[test]
fn keeps_text_where_asked() {
    let tree =
        parse_with("<a>one<b/>&amp;<![CDATA[<two>]]></a>", TextPolicy::Keep, Limits::default()).unwrap();
    assert_eq!(tree.text(), "one&<two>");
    assert_eq!(parse("<a>one</a>").unwrap().text(), "");
}

#[test]
fn refusals_say_where_and_why() {
    assert_eq!(error(""), "line 1, column 1: no element found; expected one root element");
    assert!(error("hello").contains("text outside the root element"), "{}", error("hello"));
    assert!(error("<a>\n <b>\n</a>").starts_with("line 3, column 1:"), "{}", error("<a>\n <b>\n</a>"));
    assert_eq!(error("<a>\n  <b x='1' x='2'/></a>"), "line 2, column 12: attribute 'x' appears twice in <b>");
    assert_eq!(error("<a><b>"), "line 1, column 7: the text ends inside <b>; expected </b>");
    assert!(error("<a/><b/>").contains("content after the end of the root element <a>"));
    assert!(
        error("<!DOCTYPE a [<!ENTITY x 'y'>]><a/>").contains("document type declarations are not accepted")
    );
    assert!(error("<a x='&y;'/>").contains("unknown or malformed reference"), "{}", error("<a x='&y;'/>"));
    assert!(error("<a x='&#1;'/>").contains("U+0001 is not allowed"), "{}", error("<a x='&#1;'/>"));
    assert!(error("<a 1x='2'/>").contains("is not a name"), "{}", error("<a 1x='2'/>"));
    assert!(error("<a x='1<2'/>").contains("&lt;"), "{}", error("<a x='1<2'/>"));
}

#[test]
fn other_encodings_are_refused_with_their_place() {
    let error = parse_bytes(b"<a>\n<b x='\xe9'/></a>").unwrap_err();
    assert_eq!(error.at, Position { line: 2, column: 7 });
    assert!(error.to_string().contains("not UTF-8"), "{error}");
    assert!(parse_bytes(b"<a/>").is_ok());
}

#[test]
fn limits_hold() {
    let deep = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
    assert!(error(&deep).ends_with("more than 256 levels of elements"));
    let wide: String = (0..2_000).map(|n| format!(" x{n}='1'")).collect();
    assert!(error(&format!("<a{wide}/>")).ends_with("more than 1000 attributes in one element"));
    let long = format!("<a x='{}'/>", "y".repeat(10_000_001));
    assert!(error(&long).ends_with("more than 10000000 bytes in one attribute value"));
    let small = Limits { bytes: 10, ..Limits::default() };
    assert!(parse_with("<abcdefghijk/>", TextPolicy::Drop, small).is_err());
}

#[test]
fn what_libxml2_takes_is_taken() {
    for text in [
        "\u{feff}<a/>",
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding='utf-8' standalone='yes' ?>\n<!-- c --><?p?><?q x?>\n<a/><!----><?r?>\n",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='US-ASCII'?><a/>",
        "<a ></a >",
        "<a\n\tx = '1'\r\ny=\"2\"/>",
        "<a:b-1.c_\u{b7}é x:y='1'>]] &gt;&#x10FFFF;<![CDATA[]]]]><![CDATA[>]]></a:b-1.c_\u{b7}é>",
        "<a x='>' y=\"'\" z=']]>'/>",
    ] {
        assert!(parse(text).is_ok(), "{text}: {}", error(text));
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        " <?xml version='1.0'?><a/>",
        "<?xml?><a/>",
        "<?xml encoding='utf-8'?><a/>",
        "<?xml version='2.0'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<?xml version='1.0'encoding='utf-8'?><a/>",
        "<?xml version='1.0' ><a/>",
        "<a><?xml version='1.0'?></a>",
        "<a/><?XML x?>",
        "<a/><?p",
        "<a/><? p?>",
        "<a/><?p*x?>",
        "<a><!-- a -- b --></a>",
        "<a><!-- a ---></a>",
        "<a><!-- a </a>",
        "<a><!- a --></a>",
        "<a><![CDATA[x]></a>",
        "<![CDATA[ ]]><a/>",
        "<a/>&#32;",
        "<a>]]></a>",
        "<a>&nbsp;</a>",
        "<a>& </a>",
        "<a>\u{1}</a>",
        "<a>\u{ffff}</a>",
        "<a><!-- \u{fffe} --></a>",
        "<a>&#xFFFF;</a>",
        "<a>&#xD800;</a>",
        "<a x='1'y='2'/>",
        "<a x/>",
        "<a x=1/>",
        "<a x='1/>",
        "<a x='1'",
        "<a/ >",
        "< a/>",
        "<a></b>",
        "<a></a",
        "<a></ a>",
        "</a>",
        "<a/></a>",
        "<-a/>",
        "<a\u{d7}/>",
    ] {
        assert!(parse(text).is_err(), "{text}");
        assert!(locate(text, &[9, 9]).is_none());
    }
}

#[test]
fn encodings_other_than_utf_8_are_named() {
    let said = error("<?xml version='1.0' encoding='ISO-8859-1'?><a/>");
    assert!(
        said.contains("line 1, column 31") && said.contains("ISO-8859-1") && said.contains("iconv"),
        "{said}"
    );
    let said = parse_bytes(b"<?xml version='1.0' encoding='latin1'?><a x='\xe9'/>").unwrap_err().to_string();
    assert!(said.contains("latin1"), "{said}");
    let said = parse_bytes(b"\xff\xfe<\0a\0/\0>\0").unwrap_err().to_string();
    assert!(said.contains("UTF-16"), "{said}");
    let said = error("<?xml version='1.0' encoding='us-ascii'?>\n<a x='é'/>");
    assert!(said.starts_with("line 2, column 7:"), "{said}");
}

#[test]
fn references_are_resolved_once_and_never_expand() {
    let tree = parse("<a x='&amp;lt;&#38;lt;' y='&#10;&#9; \n\t'/>").unwrap();
    assert_eq!((tree.attr("x"), tree.attr("y")), (Some("&lt;&lt;"), Some("\n\t   ")));
    let bomb = "<!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]><lolz>&b;</lolz>";
    assert_eq!(error(bomb), "line 1, column 1: document type declarations are not accepted");
    let external = "<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
    assert_eq!(error(external), "line 2, column 1: document type declarations are not accepted");
}

#[test]
fn text_is_put_together_and_line_ends_are_line_feeds() {
    let keep = |text| parse_with(text, TextPolicy::Keep, Limits::default()).unwrap();
    let tree = keep("<a>1\r\n2\r<![CDATA[3\r\n&lt;]]>&#13;<b/>\n<!--x\r\ny-->z</a>");
    let children: Vec<_> = tree.children().iter().map(|node| format!("{node:?}")).collect();
    assert_eq!(
        children,
        [
            r#"Text("1\n2\n3\n&lt;\r")"#,
            "Element(<b/>)",
            r#"Text("\n")"#,
            r#"Comment("x\ny")"#,
            r#"Text("z")"#
        ]
    );
}

#[test]
fn unusual_elements_are_read_all_the_same() {
    // More attributes than shapes are shared for, and more shapes than are remembered.
    let names: Vec<String> = (0..300).map(|n| format!("n{n}")).collect();
    let wide: String = names.iter().map(|name| format!(" {name}='{name}'")).collect();
    let tree = parse(&format!("<a{wide}/>")).unwrap();
    assert!(tree.attributes().iter().map(|a| a.value()).eq(names.iter().map(String::as_str)));
    let twice = error(&format!("<a{wide} n7='x'/>"));
    assert!(twice.ends_with("attribute 'n7' appears twice in <a>"), "{twice}");
    let text: String = (0..2_000).map(|n| format!("<e{n} a{n}='{n}' b='1'/><e a{n}='{n}'/>")).collect();
    let tree = parse(&format!("<a>{text}</a>")).unwrap();
    assert_eq!(crate::write_compact(&tree), format!("<a>{}</a>", text.replace('\'', "\"")));
}

#[test]
fn nothing_grows_without_a_limit() {
    let small = Limits { nodes: 1_000, ..Limits::default() };
    let many = format!("<a>{}</a>", "<b/>".repeat(1_000));
    let said = parse_with(&many, TextPolicy::Drop, small).unwrap_err().to_string();
    assert!(said.ends_with("more than 1000 elements and comments"), "{said}");
    let said = error(&format!("<{}/>", "a".repeat(50_001)));
    assert!(said.ends_with("more than 50000 bytes in one name"), "{said}");
    // The limit is met before the end of the value is looked for, so a value that never ends costs no more.
    let said = error(&format!("<a x='{}", "y".repeat(30_000_000)));
    assert!(said.ends_with("more than 10000000 bytes in one attribute value"), "{said}");
    let exact = Limits { value_bytes: 8, ..Limits::default() };
    assert!(parse_with("<a x='12345678'/>", TextPolicy::Drop, exact).is_ok());
    assert!(parse_with("<a x='123456789'/>", TextPolicy::Drop, exact).is_err());
    assert!(parse_with("<a x='1234&#65;'/>", TextPolicy::Drop, exact).is_err());
}

#[test]
fn no_part_of_a_document_is_taken_for_all_of_it() {
    let text =
        "<?xml version='1.0'?>\n<!-- é --><cib epoch='1'><a x=\"&lt;é\"/><![CDATA[x]]>\n<b><c/></b></cib>";
    assert!(parse(text).is_ok());
    for end in 0..text.len() {
        let said = parse_bytes(&text.as_bytes()[..end])
            .map_or_else(|error| error.to_string(), |_| "taken".to_owned());
        assert!(said.starts_with("line "), "the first {end} bytes: {said}");
    }
}

#[test]
fn a_huge_value_is_refused_at_the_limit() {
    // As if it had no end: that is never looked for.
    let said = error(&format!("<cib epoch='1'>\n<a x='{}'/></cib>", "y".repeat(100_000_000)));
    assert_eq!(said, "line 2, column 7: more than 10000000 bytes in one attribute value");
}
