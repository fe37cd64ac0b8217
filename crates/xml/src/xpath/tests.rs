// SPDX-License-Identifier: GPL-2.0-or-later
//! Tables of expressions and what they give.

use super::*;
use crate::{Limits, TextPolicy, parse, parse_with};

const CIB: &str = r#"<cib epoch="3" validate-with="pacemaker-4.0">
  <configuration>
    <!-- settings -->
    <crm_config>
      <cluster_property_set id="boot">
        <nvpair id="boot-stonith" name="stonith-enabled" value="true"/>
        <nvpair id="boot-limit" name="batch-limit" value="10"/>
      </cluster_property_set>
    </crm_config>
    <nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes>
    <resources>
      <primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2">
        <meta_attributes id="ip-meta"><nvpair id="ip-role" name="target-role" value="Stopped"/></meta_attributes>
        <operations><op id="ip-mon" name="monitor" interval="10s"/><op id="ip-start" name="start"/></operations>
      </primitive>
      <group id="g">
        <primitive id="g1" class="ocf" provider="pacemaker" type="Dummy"/>
        <primitive id="g2" class="ocf" provider="pacemaker" type="Stateful">
          <operations><op id="g2-mon" name="monitor" interval="5s"/></operations>
        </primitive>
      </group>
    </resources>
    <constraints>
      <rsc_location id="l1" rsc="ip" node="a" score="100"/>
      <rsc_location id="l2" rsc="gone" node="b" score="-INFINITY"/>
      <rsc_order id="o1" first="ip" then="g"/>
    </constraints>
  </configuration>
</cib>"#;

/// What an expression gives, in a line: nodes as their ids, names or values, with the paths left to other tests.
fn result(root: &Element, text: &str) -> String {
    let value = XPath::parse(text).and_then(|xpath| xpath.evaluate(root));
    match value {
        Err(error) => format!("error: {}", error.kind),
        Ok(Value::String(text)) => format!("'{text}'"),
        Ok(Value::Number(number)) => value::number_text(number),
        Ok(Value::Boolean(truth)) => truth.to_string(),
        Ok(Value::Nodes(nodes)) => {
            let shown = nodes.iter().map(|node| match node.target() {
                Target::Document => "/".to_owned(),
                Target::Element(element) => element.id().unwrap_or(element.name()).to_owned(),
                Target::Attribute(_, attribute) => format!("@{}={}", attribute.name(), attribute.value()),
                Target::Text(text) => format!("\"{text}\""),
                Target::Comment(text) => format!("<!--{text}-->"),
            });
            shown.collect::<Vec<_>>().join(" ")
        }
    }
}

fn check(root: &Element, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(result(root, text), *expected, "{text}");
    }
}

#[test]
fn administrators_find_what_they_look_for() {
    check(
        &parse(CIB).unwrap(),
        &[
            ("/", "/"),
            ("/cib", "cib"),
            ("//primitive", "ip g1 g2"),
            ("//primitive[@id='ip']", "ip"),
            ("//primitive[@class='ocf' and @type='Dummy']", "g1"),
            ("//primitive[@class=\"ocf\"][@type=\"Dummy\"]", "g1"),
            ("//primitive[@type='Dummy' or @type='Stateful']", "g1 g2"),
            ("//primitive['g2'=@id]", "g2"),
            ("//primitive[operations/op/@interval='5s']/@id", "@id=g2"),
            ("//group[@id='g']/primitive[2]", "g2"),
            ("//nvpair[@name='stonith-enabled']/@value", "@value=true"),
            ("//nvpair[@name='target-role']/../..", "ip"),
            ("/cib/configuration/constraints/*", "l1 l2 o1"),
            ("//rsc_location[not(@rsc=//primitive/@id)]", "l2"),
            ("//primitive[@id=//rsc_location/@rsc]", "ip"),
            ("//rsc_location|//rsc_order|//primitive[@id='ip']|//primitive", "ip g1 g2 l1 l2 o1"),
            ("//op[@interval]", "ip-mon g2-mon"),
            ("//op[not(@interval)]", "ip-start"),
            ("//*[starts-with(@id, 'g2')]", "g2 g2-mon"),
            ("//*[contains(@id,'mon')]/@id", "@id=ip-mon @id=g2-mon"),
            ("//comment()", "<!-- settings -->"),
            ("//nope", ""),
            ("/cib/@*", "@epoch=3 @validate-with=pacemaker-4.0"),
            (" / cib / @ epoch ", "@epoch=3"),
        ],
    );
}

#[test]
fn what_does_not_begin_at_the_document_leads_nowhere() {
    let table = [
        (".", ""),
        ("cib", ""),
        ("self::node()", ""),
        ("descendant::op", ""),
        ("@epoch", ""),
        (". | /cib", "cib"),
        ("count(*)", "0"),
        ("/.", "/"),
        ("/self::node()[cib]/cib", "cib"),
        ("//group[primitive][.//primitive]/@id", "@id=g"),
    ];
    check(&parse(CIB).unwrap(), &table);
}

#[test]
fn positions_count_along_the_axis() {
    check(
        &parse(CIB).unwrap(),
        &[
            ("//primitive[1]", "ip g1"),
            ("(//primitive)[1]", "ip"),
            ("(//primitive)[last()]", "g2"),
            ("//primitive[last()]", "ip g2"),
            ("/descendant::primitive[2]", "g1"),
            ("//primitive[position()>1]", "g2"),
            ("//nvpair[position()=last()-1]", "boot-stonith"),
            ("//*[position() mod 2 = 0 and @class]", "g2"),
            ("//op[@name='monitor'][1]", "ip-mon g2-mon"),
            ("//op[2][@name='monitor']", ""),
            ("//op[@id='g2-mon']/ancestor::*[1]", "operations"),
            ("//op[@id='g2-mon']/ancestor::*[2]", "g2"),
            ("//op[@id='g2-mon']/ancestor::*", "cib configuration resources g g2 operations"),
            ("(//op[@id='g2-mon']/ancestor::*)[1]", "cib"),
            ("//op[@id='g2-mon']/ancestor-or-self::*[1]", "g2-mon"),
            ("//rsc_order/preceding-sibling::*[1]", "l2"),
            ("//rsc_order/preceding-sibling::*", "l1 l2"),
            ("//rsc_location[1]/following-sibling::*[1]", "l2"),
            ("//group/preceding::*[1]", "ip-start"),
            ("//group/preceding::primitive", "ip"),
            ("//group/following::*[2]", "l1"),
            ("//primitive[following::primitive]", "ip g1"),
            ("//node[1]/following::node", "2"),
            ("//group/primitive[@id='g1']/self::primitive/..//op", "g2-mon"),
            ("//*[self::group or self::node]", "1 2 g"),
            ("//node/@id/ancestor::node", "1 2"),
            ("//node[1]/@id/following::node", "2"),
            ("//node[2]/@id/preceding::node", "1"),
            ("//node[1]/@id/following-sibling::node()", ""),
            ("//node[1]/namespace::*", ""),
            ("//node[1]/descendant-or-self::node()", "1"),
            ("/child::cib/descendant::group/attribute::id", "@id=g"),
            ("//primitive[@id='ip']//op[1]/@xml:lang", ""),
        ],
    );
}

#[test]
fn the_core_functions() {
    check(
        &parse(CIB).unwrap(),
        &[
            ("count(//primitive)", "3"),
            ("count(//primitive/@*)", "12"),
            ("sum(//rsc_location[@id='l1']/@score)", "100"),
            ("sum(//@score)", "NaN"),
            ("string(//primitive[2]/@id)", "'g2'"),
            ("string(//nope)", "''"),
            ("name(//primitive[1]/..)", "'resources'"),
            ("name(//@*)", "'epoch'"),
            ("local-name(/cib/configuration)", "'configuration'"),
            ("namespace-uri(/cib)", "''"),
            ("//*[name()='node']", "1 2"),
            ("id('ip')", ""),
            ("lang('en')", "false"),
            ("concat('a', //primitive/@id, 1.50, true())", "'aip1.5true'"),
            ("contains('abc', '')", "true"),
            ("substring('12345', 2)", "'2345'"),
            ("substring('12345', 1.5, 2.6)", "'234'"),
            ("substring('12345', 0, 3)", "'12'"),
            ("substring('12345', 0 div 0, 3)", "''"),
            ("substring('12345', -42, 1 div 0)", "'12345'"),
            ("substring('12345', -1 div 0, 1 div 0)", "''"),
            ("substring-before('1999/04/01', '/')", "'1999'"),
            ("substring-after('1999/04/01', '/')", "'04/01'"),
            ("substring-before('abc', 'x')", "''"),
            ("translate('--aaa--', 'abc-', 'ABC')", "'AAA'"),
            ("translate('aabb', 'aa', 'xy')", "'xxbb'"),
            ("normalize-space('  a   b  ')", "'a b'"),
            ("string-length('äöü')", "3"),
            ("not(//group)", "false"),
            ("boolean('0')", "true"),
            ("boolean(0 div 0)", "false"),
            ("number('  -12.5 ')", "-12.5"),
            ("number('12.')", "12"),
            ("number('.5')", "0.5"),
            ("number('+5')", "NaN"),
            ("number('')", "NaN"),
            ("number('1 2')", "NaN"),
            ("number('infinity')", "NaN"),
            ("floor(-2.5)", "-3"),
            ("ceiling(2.1)", "3"),
            ("round(2.5)", "3"),
            ("round(-2.5)", "-2"),
            ("round(0.49999999999999994)", "0"),
            ("1 div round(-0.4)", "-Infinity"),
            ("string(1 div 0)", "'Infinity'"),
            ("string(-0)", "'0'"),
            ("string(100000000000000000000)", "'100000000000000000000'"),
            ("position()", "1"),
        ],
    );
}

#[test]
fn operators_and_comparisons() {
    check(
        &parse(CIB).unwrap(),
        &[
            ("2 * 3 + 4 * 5", "26"),
            ("10 - 2 - 3", "5"),
            ("-5 mod 3", "-2"),
            ("5 div 2", "2.5"),
            ("- - '5'", "5"),
            ("1 < 2 and 2 < 3 or nonsense", "true"),
            ("3 > 2 > 1", "false"),
            ("'1' = 1.0", "true"),
            ("1 = true()", "true"),
            ("'a' != 'b'", "true"),
            ("'b' > 'a'", "false"),
            ("'10' > '9'", "true"),
            ("//nope = ''", "false"),
            ("//nope = false()", "true"),
            ("//nope != ''", "false"),
            ("//@score > 99", "true"),
            ("99 < //@score", "true"),
            ("//@score > 100", "false"),
            ("//@interval = //@interval", "true"),
            ("//@interval != //@interval", "true"),
            ("//@epoch != //@epoch", "false"),
            ("//@epoch < //rsc_location/@score", "true"),
            ("//@epoch >= //rsc_location/@score", "false"),
            ("//*[@id!='ip'][@class]", "g1 g2"),
            ("//*[* and 1]/* [1][self::op]", "ip-mon g2-mon"),
        ],
    );
}

#[test]
fn text_next_to_text_is_one_node() {
    let text = "<a>one &amp; <![CDATA[two]]><b/>three<!-- c --></a>";
    let root = parse_with(text, TextPolicy::Keep, Limits::default()).unwrap();
    check(
        &root,
        &[
            ("//text()", "\"one & two\" \"three\""),
            ("/a/node()[2]", "b"),
            ("string(/a)", "'one & twothree'"),
            ("//b/preceding-sibling::text()", "\"one & two\""),
            ("count(/a/node())", "4"),
        ],
    );
}

#[test]
fn ids_and_languages_are_those_of_xml() {
    let root = parse("<a xml:lang='en-GB'><b xml:id='x'/><c xml:id='y'/><d ref='y x z'/></a>").unwrap();
    check(
        &root,
        &[
            ("id(//@ref)", "b c"),
            ("id('y')/@*", "@xml:id=y"),
            ("//*[lang('EN')]", "a b c d"),
            ("//b[lang('e')]", ""),
        ],
    );
}

#[test]
fn refusals_say_where_and_what_was_expected() {
    check(
        &parse(CIB).unwrap(),
        &[
            (
                "",
                "error: at character 1: expected the name of an element or attribute, '*', '.', '..' or '@', found the end",
            ),
            ("//primitive[@id='x'", "error: at character 20: expected ']', found the end"),
            (
                "//a[@b='x]",
                "error: at character 11: expected the closing ' of the string that begins at column 8, found the end",
            ),
            ("//primitive]", "error: at character 12: expected an operator or the end, found ']'"),
            ("a b", "error: at character 3: expected an operator or the end, found 'b'"),
            ("é b", "error: at character 3: expected an operator or the end, found 'b'"),
            ("foo(1)", "error: at character 1: there is no function 'foo' in XPath 1.0"),
            ("//a[count(@x, 1)]", "error: at character 5: count() takes 1 argument, not 2"),
            ("//a[substring('x')]", "error: at character 5: substring() takes 2 to 3 arguments, not 1"),
            ("concat('x')", "error: at character 1: concat() takes 2 arguments or more, not 1"),
            ("sum(1)", "error: at character 5: expected a set of nodes, found a number"),
            ("//a | 'b'", "error: at character 7: expected a set of nodes, found a string"),
            ("(1)[1]", "error: at character 1: expected a set of nodes, found a number"),
            (
                "$x",
                "error: at character 1: expected a path, a value or an operator, found a variable, of which there are none",
            ),
            (
                "up::x",
                "error: at character 1: expected the name of an axis, like 'child' or 'ancestor', found 'up'",
            ),
            ("not(1", "error: at character 6: expected ',' or ')', found the end"),
            (
                "child:cib",
                "error: at character 1: expected a name without a prefix, or '::' after an axis (there are no namespaces here), found 'child:cib'",
            ),
        ],
    );
    let select =
        |text: &str| XPath::parse(text).unwrap().select(&parse(CIB).unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(
        select("count(//op)").to_string(),
        "XPath 'count(//op)': the expression gives a number; expected one that selects nodes"
    );
}

#[test]
fn no_expression_hangs_or_overflows() {
    let refused = |text: String| XPath::parse(&text).unwrap_err().kind.to_string();
    let levels = "the expression has more than 100 levels of nesting";
    assert_eq!(refused("(".repeat(10_000)), levels);
    assert_eq!(refused("a[".repeat(10_000)), levels);
    assert_eq!(refused("not(".repeat(10_000)), levels);
    assert_eq!(refused("1+".repeat(1_000) + "1"), "the expression has more than 100 operators in a row");
    assert_eq!(refused("a=".repeat(1_000) + "1"), "the expression has more than 100 operators in a row");
    assert_eq!(refused("a".repeat(70_000)), "the expression has more than 65536 bytes");
    // Long lists are what programs write, and nest nothing.
    let root = parse(CIB).unwrap();
    let any = (0..2_000).map(|n| format!("@id='x{n}'")).collect::<Vec<_>>().join(" or ");
    assert_eq!(result(&root, &format!("//*[{any} or @id='ip']")), "ip");
    assert_eq!(result(&root, &format!("//op{}", "|//op".repeat(2_000))), "ip-mon ip-start g2-mon");
    assert_eq!(result(&root, &format!("{}5", "-".repeat(10_000))), "5");

    let mut wide = Element::new("a");
    for _ in 0..3_000 {
        wide.push(Element::new("b").with_attr("x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"));
    }
    for greedy in [
        "//*[count(preceding::*[count(preceding::*) > 3]) > 3]",
        "//b[count(../b/@x/../../b/@x) > 3]",
        "count(//b/preceding::b/following::b/preceding::b)",
    ] {
        let error = XPath::parse(greedy).unwrap().evaluate_within(&wide, 1_000_000).unwrap_err();
        assert_eq!(error.kind, XPathErrorKind::TooMuchWork { limit: 1_000_000 }, "{greedy}");
    }
    // A set that does not change is made once, not for each node that is compared with it.
    assert_eq!(result(&wide, "count(//b[@x=//b/@x])"), "3000");
}

#[test]
fn one_walk_finds_one_element_among_many() {
    let mut root = Element::new("resources");
    for n in 0..10_000 {
        root.push(Element::new("primitive").with_attr("id", format!("r{n}")));
    }
    // Each element looked at is one step of work, so this is a walk and not more.
    for text in
        ["//primitive[@id='r9999']", "//primitive[@id='r9999' and @id]", "/resources/primitive[@id='r9999']"]
    {
        let found = XPath::parse(text).unwrap().select_within(&root, 10_100);
        if text.contains("and") {
            assert!(found.is_err(), "only equality is looked at in passing");
        } else {
            assert_eq!(found.unwrap().first().unwrap().path(), [9_999]);
        }
    }
}

#[test]
fn what_is_found_can_be_addressed_and_changed() {
    let root = parse(CIB).unwrap();
    let one = |text: &str| XPath::parse(text).unwrap().select(&root).unwrap().remove(0);
    let op = one("//op[@id='g2-mon']");
    assert_eq!(
        op.address(),
        "/cib/configuration/resources/group[@id='g']/primitive[@id='g2']/operations/op[@id='g2-mon']"
    );
    assert!(op.element().unwrap().ptr_eq(root.at(op.path()).unwrap()));
    let mut changed = root.clone();
    changed.at_mut(op.path()).unwrap().set_attr("interval", "7s");
    assert_eq!(result(&changed, "//op/@interval"), "@interval=10s @interval=7s");
    assert_eq!(result(&root, "//op/@interval"), "@interval=10s @interval=5s");
    // The address selects what it was made from.
    assert_eq!(XPath::parse(&op.address()).unwrap().select(&root).unwrap(), [op]);

    let attribute = one("//node[2]/@uname");
    assert_eq!((attribute.value(), attribute.element()), (Some("b"), None));
    assert_eq!(attribute.found(), Found { path: vec![0, 2, 1], attribute: Some("uname".into()) });
    assert_eq!(attribute.address(), "/cib/configuration/nodes/node[@id='2']");
    assert_eq!(one("/").address(), "/cib");
    assert_eq!(one("//comment()").address(), "/cib/configuration");
    assert_eq!(one("//comment()").path(), [0, 0]);
}
